import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { pid } from 'node:process'
import type { Found } from '../pipeline/dead-letters/find.js'
import { judge, whyNot } from '../pipeline/dead-letters/judge.js'
import type { DeadLetter } from '../pipeline/dead-letters/letter.js'
import { type ReplayResult, replay } from '../pipeline/dead-letters/replay.js'
import { PATIENCE } from '../pipeline/dead-letters/settle-doubts.js'
import type { Target } from '../plugin.js'
import { printable } from '../terminal/printable.js'
import { progressBar } from '../terminal/progress.js'
import { table } from '../terminal/table.js'
import { type Command, EXIT, type Io } from './command.js'
import { counted } from './dlq-list.js'
import { readSelection, SELECTION_OPTIONS } from './dlq-selection.js'
import { type DeadLetterSession, find, withDeadLetters } from './dlq-session.js'

/** Milliseconds for which a claim is good: long enough for a slow Kafka, short enough to wait for after a crash. */
const SEND_WITHIN = 10_000
const TAKE_OVER = (SEND_WITHIN * PATIENCE) / 1000
const MOST_LISTED = 20

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

Every record sent has the header headgate-replay-of, with the topic-partition@offset of the dead letter. What fails again
stays where it is and is named. Nothing is acknowledged to the sender: that was done for the dead letter.

Exits with 0 where all that was chosen was sent (or would be), and with 1 otherwise.`,
  options: [
    ...SELECTION_OPTIONS.filter(({ flags }) => flags !== '--all'),
    { flags: '--rate <n>', description: 'At most so many records a second.' },
    { flags: '--yes', description: 'Sends them.' },
  ],
  async run({ options }, io) {
    const read = readSelection(options, Date.now())
    const rate = options['rate'] === undefined ? undefined : Number(options['rate'])
    const badRate = rate !== undefined && !(rate > 0 && rate <= 1_000_000)
    if (!read.ok || badRate) {
      const complaints = [
        ...(read.ok ? [] : read.complaints),
        ...(badRate ? [`--rate should be a number above 0; it is ${JSON.stringify(options['rate'])}.`] : []),
      ]
      io.err(`${complaints.join('\n')}\n`)
      return EXIT.usage
    }
    return withDeadLetters(options, io, true, async (session) => {
      const found = await find(session, read.selection, io, true)
      const failing = failuresOf(found)
      if (options['yes'] !== true) {
        io.out(`${plan(found, failing)}\n`)
        return failing.length === 0 ? EXIT.ok : EXIT.wrong
      }
      const letters = found.letters.flatMap(({ letter, prospect }) =>
        prospect?.kind === 'passes' ? [letter] : [],
      )
      const result = await send(session, found, letters, rate, io)
      io.out(session.redact(`${account(result, failing)}\n`))
      return result.reason === undefined &&
        failing.length + result.failed.length + result.unknown.length === 0
        ? EXIT.ok
        : EXIT.wrong
    })
  },
}

async function send(
  { delivery, log, topic, giveUp }: DeadLetterSession,
  { histories }: Found,
  letters: readonly DeadLetter[],
  rate: number | undefined,
  io: Io,
): Promise<ReplayResult> {
  const progress = progressBar(io.err, io.terminal.err)
  try {
    return await replay({
      log,
      send: (record) => delivery.sink.send(record),
      pipeline: delivery.name,
      topic,
      run: { id: randomUUID(), by: `process ${pid} on ${hostname()}` },
      histories,
      letters,
      judge: (letter, value) => judge(delivery, letter, value),
      rate,
      signal: io.signal,
      giveUp,
      sendWithin: SEND_WITHIN,
      onProgress: (done, total) => progress.show(`${done} of ${total} dead letters`, done, total),
      onDoubt(doubts, wait) {
        const runs = [...new Set(doubts.map(({ claim }) => claim.by))].join(', ')
        io.err(
          `A replay before (${runs}) has not said what became of ${doubts.length} of them. ` +
            `In ${wait / 1000} s it can have nothing under way any more; then they are looked for.\n`,
        )
      },
    })
  } finally {
    progress.end()
  }
}

interface Failure {
  readonly letter: DeadLetter
  readonly why: string
}

const failuresOf = ({ letters }: Found): Failure[] =>
  letters.flatMap(({ letter, prospect }) =>
    prospect === undefined || prospect.kind === 'passes' ? [] : [{ letter, why: whyNot(prospect) }],
  )

function plan({ letters }: Found, failing: readonly Failure[]): string {
  const rows = new Map<string, { readonly target: Target; records: number }>()
  for (const { prospect } of letters) {
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
  const passing = letters.length - failing.length
  return [
    `${counted(passing)} would be sent.`,
    ...(cells.length > 0 ? ['', table(columns, cells), ''] : []),
    ...listed('Would not pass, and would stay where they are', failing),
    passing > 0 ? 'Nothing was sent. With --yes they are.' : 'Nothing was sent.',
  ].join('\n')
}

function account(result: ReplayResult, failing: readonly Failure[]): string {
  const { delivered, elsewhere, failed, inDoubt, unknown, left, reason } = result
  const notSent = [...failing, ...failed]
  const lines = [`${counted(delivered)} sent.`]
  if (elsewhere > 0) lines.push(`${elsewhere} had been sent by another replay.`)
  lines.push(...listed('Not sent, and left where they are', notSent))
  const lost = unknown.map((letter) => ({
    letter,
    why: 'its replay crashed, and the records since are not all kept',
  }))
  lines.push(
    ...listed('Perhaps sent before, which can no longer be found out, and left where they are', lost),
  )
  if (inDoubt.length > 0) lines.push(`${inDoubt.length} may have been sent; the next replay finds out.`)
  if (reason !== undefined)
    lines.push(`It ended early, with ${left} not tried: ${reason.replace(/\.$/, '')}.`)
  return lines.join('\n')
}

function listed(title: string, failures: readonly Failure[]): string[] {
  if (failures.length === 0) return []
  const lines = failures
    .slice(0, MOST_LISTED)
    .map(
      ({ letter: { partition, offset, id }, why }) =>
        `  ${partition}:${offset}  ${printable(id)}  ${printable(why)}`,
    )
  const more = failures.length - lines.length
  return [`${title} (${failures.length}):`, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])]
}

const left = (title: string) => ({ title, align: 'left' }) as const
