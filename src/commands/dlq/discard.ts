import { type DiscardResult, discard } from '../../dead-letters/discard.js'
import { progressBar } from '../../lib/terminal/progress.js'
import { type Command, EXIT } from '../command.js'
import { byCode, counted } from './list.js'
import { PLACES_ARGUMENT, readSelection, SELECTION_OPTIONS } from './selection.js'
import { withDeadLetters } from './session.js'
import { type Chosen, choose, listed, refusal, runOptions } from './settle.js'

const LONGEST_REASON = 500

export const dlqDiscardCommand: Command = {
  name: 'discard',
  summary: 'Settles dead letters that nobody will replay, with a reason.',
  details: `Without --yes it only says what it would do. A discarded dead letter is no longer listed (without --all), counted or
replayed. Its record stays in the dead-letter topic until the retention of the topic removes it; a note in its partition has
the reason. Each dead letter is either discarded or replayed, also if both commands run at the same time.

Examples:
  headgate dlq discard 0:12 0:13 --reason "test events of the sender"
  headgate dlq discard --code HG_SCHEMA_VIOLATION --until 2026-01-31 --reason "before the new schema" --yes

Exits with 0 if all that was chosen was discarded (or would be), and with 1 otherwise.`,
  arguments: [PLACES_ARGUMENT],
  options: [
    ...SELECTION_OPTIONS.filter(({ flags }) => flags !== '--all'),
    { flags: '--reason <text>', description: 'Why nobody needs them. Required; it is kept with them.' },
    { flags: '--yes', description: 'Discards them.' },
  ],
  async run({ arguments: places, options }, io) {
    const read = readSelection(options, Date.now(), places)
    const reason = String(options['reason'] ?? '').trim()
    const complaints = read.ok ? [] : [...read.complaints]
    if (read.ok && Object.keys(read.selection.filter).length === 0)
      complaints.push(
        'Say which: places such as 0:12, or a filter such as --code. "--until now" chooses all there are.',
      )
    if (reason === '') complaints.push('Give the reason with --reason, for those who look for them later.')
    if (reason.length > LONGEST_REASON)
      complaints.push(`--reason should have at most ${LONGEST_REASON} characters; it has ${reason.length}.`)
    if (!read.ok || complaints.length > 0) {
      io.err(`${complaints.join('\n')}\n`)
      return EXIT.usage
    }
    return withDeadLetters(options, io, true, async (session) => {
      const chosen = await choose(session, read.selection, io, false)
      const { found, open, refused } = chosen
      if (options['yes'] !== true) {
        io.out(`${plan(chosen)}\n`)
        return refused.length === 0 ? EXIT.ok : EXIT.wrong
      }
      const progress = progressBar(io.err, io.terminal.err)
      const result = await discard({
        ...runOptions(session, found, io),
        letters: open.map(({ letter }) => letter),
        reason,
        onProgress: (done, total) => progress.show(`${done} of ${total} dead letters`, done, total),
      }).finally(() => progress.end())
      io.out(session.redact(`${account(result, chosen)}\n`))
      return result.reason === undefined && refused.length === 0 ? EXIT.ok : EXIT.wrong
    })
  },
}

const plan = ({ open, refused }: Chosen): string =>
  [
    `${counted(open.length)} would be discarded${byCode(open)}.`,
    ...listed(
      'Would be discarded',
      open.map(({ letter }) => refusal(letter, letter.code)),
    ),
    ...listed('Would be left alone', refused),
    open.length > 0 ? 'Nothing was written. With --yes they are discarded.' : 'Nothing was written.',
  ].join('\n')

function account(
  { discarded, settledByOthers, notTried, reason }: DiscardResult,
  { refused }: Chosen,
): string {
  const lines = [`${counted(discarded)} discarded.`]
  if (settledByOthers > 0) lines.push(`${settledByOthers} had been settled by another command.`)
  lines.push(...listed('Left alone', refused))
  if (reason !== undefined)
    lines.push(`It ended early, with ${notTried} not tried: ${reason.replace(/\.$/, '')}. Run it again.`)
  return lines.join('\n')
}
