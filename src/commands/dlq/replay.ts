import type { Target } from '../../contract/index.js'
import { whyNot } from '../../dead-letters/judge.js'
import { type ReplayResult, replay } from '../../dead-letters/replay.js'
import { HEADER } from '../../ledger/record-headers.js'
import { progressBar } from '../../lib/terminal/progress.js'
import { table } from '../../lib/terminal/text.js'
import { type Command, EXIT, type Io } from '../command.js'
import { readInput } from '../load.js'
import { counted } from './list.js'
import { PLACES_ARGUMENT, readSelection, SELECTION_OPTIONS } from './selection.js'
import { type DeadLetterSession, withDeadLetters } from './session.js'
import { type Chosen, choose, listed, type Refusal, refusal, runOptions, TAKE_OVER } from './settle.js'

export const dlqReplayCommand: Command = {
  name: 'replay',
  summary: 'Sends dead letters through the transforms and the sink again, as they are configured now.',
  details: `Without --yes it only says what it would do. Headgate may run meanwhile; it is not asked.

Each dead letter is sent at most once, also where the command is run again, runs twice at once (the one that began last goes
on, the other stops) or is killed with kill -9. What has been sent is noted in the dead-letter topic, in records with the
header headgate-replay. Where a replay was killed before it could note what it had sent, the next one waits ${TAKE_OVER} s, until
nothing of it can be under way, and looks for its records in the target topics. The limits of that: it needs the notes and
those records to be still in Kafka (where the records cannot be looked for any more, their dead letters are named and left
alone); and a process must not be suspended for longer than that just when it hands a record to the network.

To replay an event that can only pass once its body is corrected:
  headgate dlq show 0:12 --raw > event.json
  (edit event.json)
  headgate dlq replay 0:12 --body event.json --yes
Its record keeps the id of the event and has the header headgate-edited.

Every record sent has the header headgate-replay-of, with the topic-partition@offset of the dead letter. What fails again
stays where it is and is named. Nothing is acknowledged to the sender: that was done for the dead letter.

A replay that Kafka stops answering ends within a minute; run it again when Kafka answers.

Exits with 0 where all that was chosen was sent (or would be), and with 1 otherwise.`,
  arguments: [PLACES_ARGUMENT],
  options: [
    ...SELECTION_OPTIONS.filter(({ flags }) => flags !== '--all'),
    {
      flags: '--body <file>',
      description:
        'Sends these bytes instead of those of the dead letter; needs one place. "-" is standard input.',
    },
    { flags: '--rate <n>', description: 'At most so many records a second.' },
    { flags: '--yes', description: 'Sends them.' },
  ],
  async run({ arguments: places, options }, io) {
    const read = readSelection(options, Date.now(), places)
    const bodyFile = options['body'] as string | undefined
    const isAmbiguous = bodyFile !== undefined && places.length !== 1
    const rate = options['rate'] === undefined ? undefined : Number(options['rate'])
    const badRate = rate !== undefined && !(rate > 0 && rate <= 1_000_000)
    if (!read.ok || badRate || isAmbiguous) {
      const complaints = [
        ...(read.ok ? [] : read.complaints),
        ...(badRate ? [`--rate should be a number above 0; it is ${JSON.stringify(options['rate'])}.`] : []),
        ...(isAmbiguous
          ? ['--body replaces the bytes of one dead letter: name its place, and no other.']
          : []),
      ]
      io.err(`${complaints.join('\n')}\n`)
      return EXIT.usage
    }
    const body = bodyFile === undefined ? undefined : await readInput(bodyFile, io)
    if (bodyFile !== undefined && body === undefined) return EXIT.wrong
    return withDeadLetters(options, io, true, async (opened) => {
      const session = body === undefined ? opened : { ...opened, judge: judgeAs(body, opened) }
      const chosen = await choose(session, read.selection, io, true)
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

/** Takes `body` for the bytes of the event. The record is marked: its value is not what the sender sent. */
function judgeAs(body: Buffer, { judge }: DeadLetterSession): DeadLetterSession['judge'] {
  return async (letter) => {
    const judgement = await judge(letter, body)
    if (judgement.kind !== 'passes') return judgement
    const { record } = judgement
    const headers = [...record.headers, { name: HEADER.edited, value: 'true' }]
    return { kind: 'passes', record: { ...record, headers } }
  }
}

async function send(
  session: DeadLetterSession,
  { found, open }: Chosen,
  rate: number | undefined,
  io: Io,
): Promise<ReplayResult> {
  const letters = open.flatMap(({ letter, prospect }) => (prospect?.kind === 'passes' ? [letter] : []))
  const progress = progressBar(io.err, io.terminal.err)
  try {
    return await replay({
      ...runOptions(session, found, io),
      letters,
      judge: session.judge,
      rate,
      onProgress: (done, total) => progress.show(`${done} of ${total} dead letters`, done, total),
    })
  } finally {
    progress.end()
  }
}

const failuresOf = ({ open, refused }: Chosen): Refusal[] => [
  ...refused,
  ...open.flatMap(({ letter, prospect }) =>
    prospect === undefined || prospect.kind === 'passes' ? [] : [refusal(letter, whyNot(prospect))],
  ),
]

function plan({ open }: Chosen, failing: readonly Refusal[]): string {
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
    `${counted(passing)} would be sent.`,
    ...(cells.length > 0 ? ['', table(columns, cells), ''] : []),
    ...listed('Would not pass, and would stay where they are', failing),
    passing > 0 ? 'Nothing was sent. With --yes they are.' : 'Nothing was sent.',
  ].join('\n')
}

function account(result: ReplayResult, failing: readonly Refusal[]): string {
  const { delivered, settledByOthers, failed, inDoubt, unknown, notTried, reason } = result
  const notSent = [...failing, ...failed.map(({ letter, why }) => refusal(letter, why))]
  const lines = [`${counted(delivered)} sent.`]
  if (settledByOthers > 0) lines.push(`${settledByOthers} had been settled by another command.`)
  lines.push(...listed('Not sent, and left where they are', notSent))
  const lost = unknown.map((letter) =>
    refusal(letter, 'its replay crashed, and the records since are not all kept'),
  )
  lines.push(
    ...listed('Perhaps sent before, which can no longer be found out, and left where they are', lost),
  )
  if (inDoubt.length > 0) lines.push(`${inDoubt.length} may have been sent; the next replay finds out.`)
  if (reason !== undefined)
    lines.push(`It ended early, with ${notTried} not tried: ${reason.replace(/\.$/, '')}.`)
  return lines.join('\n')
}

const left = (title: string) => ({ title, align: 'left' }) as const
