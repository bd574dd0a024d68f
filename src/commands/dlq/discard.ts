import { type DiscardResult, discard } from '../../dead-letters/discard.js'
import { runOptions } from '../../dead-letters/run-options.js'
import { progressBar } from '../../lib/terminal/progress.js'
import { type Command, EXIT } from '../command.js'
import { byCode, countLetters } from './list.js'
import { PLACES_ARGUMENT, readSelection, SELECTION_OPTIONS } from './selection.js'
import { withDeadLetters } from './session.js'
import { type Choice, choose, listRefusals, onInDoubt, refusal } from './settle.js'

const LONGEST_REASON = 500

export const dlqDiscardCommand: Command = {
  name: 'discard',
  summary: 'Marks dead letters as discarded, with a reason.',
  details: `Without --yes it only prints what it would do. A discarded dead letter is no longer listed (except with --all), counted or
replayed. Its record stays in the dead-letter topic until the retention of the topic removes it; a note in its partition has
the reason. A dead letter is never both discarded and replayed, even if both commands run at the same time.

Examples:
  headgate dlq discard 0:12 0:13 --reason "test events of the sender"
  headgate dlq discard --code HG_SCHEMA_VIOLATION --until 2026-01-31 --reason "before the new schema" --yes

Exits with 0 if all selected dead letters were discarded (or would be), and with 1 otherwise.`,
  arguments: [PLACES_ARGUMENT],
  options: [
    ...SELECTION_OPTIONS.filter(({ flags }) => flags !== '--all'),
    { flags: '--reason <text>', description: 'Why they are not needed. Required; it is stored with them.' },
    { flags: '--yes', description: 'Discards them.' },
  ],
  async run({ arguments: places, options }, io) {
    const read = readSelection(options, Date.now(), places)
    const reason = String(options['reason'] ?? '').trim()
    const problems = read.ok ? [] : [...read.problems]
    if (read.ok && Object.keys(read.selection.filter).length === 0)
      problems.push(
        'Select dead letters: by position, such as 0:12, or with a filter, such as --code. "--until now" selects all.',
      )
    if (reason === '') problems.push('Give the reason with --reason; it is stored with them.')
    if (reason.length > LONGEST_REASON)
      problems.push(`--reason should have at most ${LONGEST_REASON} characters; it has ${reason.length}.`)
    if (!read.ok || problems.length > 0) {
      io.err(`${problems.join('\n')}\n`)
      return EXIT.usage
    }
    return withDeadLetters(options, io, true, async (session) => {
      const chosen = await choose(session, read.selection, io, false, true)
      const { found, open, refused } = chosen
      if (options['yes'] !== true) {
        io.out(`${plan(chosen)}\n`)
        return refused.length === 0 ? EXIT.ok : EXIT.wrong
      }
      const progress = progressBar(io.err, io.terminal.err)
      const result = await discard({
        ...runOptions(session, found, { signal: io.signal, onInDoubt: onInDoubt(io) }),
        letters: open.map(({ letter }) => letter),
        reason,
        onProgress: (done, total) => progress.show(`${done} of ${total} dead letters`, done, total),
      }).finally(() => progress.end())
      io.out(session.redact(`${account(result, chosen)}\n`))
      return result.reason === undefined && refused.length === 0 ? EXIT.ok : EXIT.wrong
    })
  },
}

const plan = ({ open, refused }: Choice): string =>
  [
    `${countLetters(open.length)} would be discarded${byCode(open)}.`,
    ...listRefusals(
      'Would be discarded',
      open.map(({ letter }) => refusal(letter, letter.code)),
    ),
    ...listRefusals('Would be left alone', refused),
    open.length > 0 ? 'Nothing was written. Use --yes to discard them.' : 'Nothing was written.',
  ].join('\n')

function account(
  { discarded, settledByOthers, notTried, reason }: DiscardResult,
  { refused }: Choice,
): string {
  const lines = [`${countLetters(discarded)} discarded.`]
  if (settledByOthers > 0)
    lines.push(`${settledByOthers} had already been replayed or discarded by another command.`)
  lines.push(...listRefusals('Left alone', refused))
  if (reason !== undefined)
    lines.push(
      `It stopped early; ${notTried} were not attempted: ${reason.replace(/\.$/, '')}. Run it again.`,
    )
  return lines.join('\n')
}
