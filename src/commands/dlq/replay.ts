import type { Target } from '../../contract/index.js'
import { whyNot } from '../../dead-letters/judge.js'
import { type ReplayResult, replay } from '../../dead-letters/replay.js'
import { editedJudge, runOptions, TAKE_OVER } from '../../dead-letters/run-options.js'
import type { DeadLetterSession } from '../../dead-letters/session.js'
import { progressBar } from '../../lib/terminal/progress.js'
import { table } from '../../lib/terminal/text.js'
import { type Command, EXIT, type Io } from '../command.js'
import { readBytes } from '../load.js'
import { countLetters, FAILED_ACK } from './list.js'
import { PLACES_ARGUMENT, readSelection, SELECTION_OPTIONS, type Selection } from './selection.js'
import { withDeadLetters } from './session.js'
import { type Choice, choose, listRefusals, onInDoubt, type Refusal, refusal } from './settle.js'

export const dlqReplayCommand: Command = {
  name: 'replay',
  summary: 'Sends dead letters through the transforms and the sink again, with the current config.',
  details: `Without --yes it only prints what it would do. Headgate may run at the same time; the command does not need it.

Each dead letter is sent at most once, even if the command is run again, is killed with kill -9, or runs twice at once (the
one that started last goes on, the other stops). Replays are noted in the dead-letter topic, in records with the header
headgate-replay. If a replay was killed before it could note what it had sent, the next one waits ${TAKE_OVER} s, until no
record of it can still be in flight, and searches for its records in the target topics. This has two limits: the notes and
those records must still be in Kafka (dead letters whose records can no longer be searched for are listed and not sent), and
a process must not be suspended for longer than that while it passes a record to the network.

To replay an event whose body has to be corrected:
  headgate dlq show 0:12 --raw > event.json
  (edit event.json)
  headgate dlq replay 0:12 --body event.json --yes
Its record keeps the id of the event and has the header headgate-edited.

Every record has the header headgate-replay-of, with the topic-partition@offset of the dead letter. Dead letters that fail
again are listed and stay in the topic. Nothing is acknowledged to the sender: that was done for the dead letter.

A replay stops within a minute if Kafka does not respond any more; run it again when Kafka is back.

Exits with 0 if all selected dead letters were sent (or would be), and with 1 otherwise.`,
  arguments: [PLACES_ARGUMENT],
  options: [
    ...SELECTION_OPTIONS.filter(({ flags }) => flags !== '--all'),
    {
      flags: '--body <file>',
      description:
        'Sends these bytes instead of those of the dead letter; needs one position. "-" is standard input.',
    },
    { flags: '--rate <n>', description: 'At most so many records per second.' },
    {
      flags: '--force',
      description:
        'Also sends dead letters whose status is unknown: with HEADGATE_RECORD_KEY_FILE, those that its key does not prove.',
    },
    { flags: '--yes', description: 'Sends them.' },
  ],
  async run({ arguments: places, options }, io) {
    const read = readSelection(options, Date.now(), places)
    const bodyFile = options['body'] as string | undefined
    const isAmbiguous = bodyFile !== undefined && places.length !== 1
    const rate = options['rate'] === undefined ? undefined : Number(options['rate'])
    const badRate = rate !== undefined && !(rate > 0 && rate <= 1_000_000)
    if (!read.ok || badRate || isAmbiguous) {
      const problems = [
        ...(read.ok ? [] : read.problems),
        ...(badRate ? [`--rate should be a number above 0; it is ${JSON.stringify(options['rate'])}.`] : []),
        ...(isAmbiguous ? ['--body replaces the bytes of one dead letter: give exactly one position.'] : []),
      ]
      io.err(`${problems.join('\n')}\n`)
      return EXIT.usage
    }
    const body = bodyFile === undefined ? undefined : await readBytes(bodyFile, io)
    if (bodyFile !== undefined && body === undefined) return EXIT.wrong
    return withDeadLetters(options, io, true, async (opened) => {
      const session = body === undefined ? opened : { ...opened, judge: editedJudge(body, opened) }
      const chosen = await choose(
        session,
        withoutFailedAcks(read.selection),
        io,
        true,
        options['force'] === true,
      )
      const failing = failuresOf(chosen)
      if (options['yes'] !== true) {
        io.out(`${plan(chosen, failing)}\n`)
        return failing.length === 0 ? EXIT.ok : EXIT.wrong
      }
      const result = await send(session, chosen, rate, io)
      io.out(session.redact(`${account(result, failing)}\n`))
      return result.reason === undefined &&
        failing.length + result.failed.length + result.unknown.length === 0
        ? EXIT.ok
        : EXIT.wrong
    })
  },
}

async function send(
  session: DeadLetterSession,
  { found, open }: Choice,
  rate: number | undefined,
  io: Io,
): Promise<ReplayResult> {
  const letters = open.flatMap(({ letter, prospect }) => (prospect?.kind === 'passes' ? [letter] : []))
  const progress = progressBar(io.err, io.terminal.err)
  try {
    return await replay({
      ...runOptions(session, found, { signal: io.signal, onInDoubt: onInDoubt(io) }),
      letters,
      judge: session.judge,
      rate,
      onProgress: (done, total) => progress.show(`${done} of ${total} dead letters`, done, total),
    })
  } finally {
    progress.end()
  }
}

/** Those that are named stay, and are refused with the reason. */
const withoutFailedAcks = (selection: Selection): Selection =>
  selection.filter.refs === undefined
    ? { ...selection, filter: { ...selection.filter, isFailedAck: false } }
    : selection

const failuresOf = ({ open, refused }: Choice): Refusal[] => [
  ...refused,
  ...open.flatMap(({ letter, prospect }) =>
    letter.failedAck !== undefined
      ? [refusal(letter, `it is ${FAILED_ACK}`)]
      : prospect === undefined || prospect.kind === 'passes'
        ? []
        : [refusal(letter, whyNot(prospect))],
  ),
]

function plan({ open }: Choice, failing: readonly Refusal[]): string {
  const rows = new Map<string, { readonly target: Target; records: number }>()
  for (const { prospect } of open) {
    if (prospect?.kind !== 'passes') continue
    const { target } = prospect
    const key = `${target.topic} ${target.partition}`
    const row = rows.get(key) ?? { target, records: 0 }
    row.records++
    rows.set(key, row)
  }
  const columns = [left('topic'), left('partition'), { title: 'records', align: 'right' } as const]
  const cells = [...rows.values()].map(({ target: { topic, partition }, records }) => [
    topic,
    partition === undefined ? 'by key' : String(partition),
    String(records),
  ])
  const passing = open.filter(({ prospect }) => prospect?.kind === 'passes').length
  return [
    `${countLetters(passing)} would be sent.`,
    ...(cells.length > 0 ? ['', table(columns, cells), ''] : []),
    ...listRefusals('Would not pass, and would stay in the topic', failing),
    passing > 0 ? 'Nothing was sent. Use --yes to send them.' : 'Nothing was sent.',
  ].join('\n')
}

function account(result: ReplayResult, failing: readonly Refusal[]): string {
  const { delivered, settledByOthers, failed, inDoubt, unknown, notTried, reason } = result
  const notSent = [...failing, ...failed.map(({ letter, why }) => refusal(letter, why))]
  const lines = [`${countLetters(delivered)} sent.`]
  if (settledByOthers > 0)
    lines.push(`${settledByOthers} had already been replayed or discarded by another command.`)
  lines.push(...listRefusals('Not sent, and left in the topic', notSent))
  const lost = unknown.map((letter) =>
    refusal(letter, 'its replay crashed, and not all records since then are still in Kafka'),
  )
  lines.push(
    ...listRefusals('Perhaps sent before, which can no longer be determined, and left in the topic', lost),
  )
  if (inDoubt.length > 0) lines.push(`${inDoubt.length} may have been sent; the next replay finds out.`)
  if (reason !== undefined)
    lines.push(`It stopped early; ${notTried} were not attempted: ${reason.replace(/\.$/, '')}.`)
  return lines.join('\n')
}

const left = (title: string) => ({ title, align: 'left' }) as const
