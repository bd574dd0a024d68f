import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { pid } from 'node:process'
import { HEADER } from '../ledger/record-headers.js'
import type { Found } from './find.js'
import { IN_DOUBT_WAIT } from './in-doubt.js'
import type { RunOptions } from './partition-replay.js'
import type { ReplayOptions } from './replay.js'
import type { DeadLetterSession } from './session.js'

/** Milliseconds for which a claim is good: long enough for a slow Kafka, short enough to wait for after a crash. */
const SEND_WITHIN = 10_000
/** Seconds. */
export const TAKE_OVER = (SEND_WITHIN * IN_DOUBT_WAIT) / 1000

/** Options by which replays and discards that run at the same time share the partitions. */
export const runOptions = (
  { delivery, log, topic, giveUp }: DeadLetterSession,
  { histories }: Pick<Found, 'histories'>,
  { signal, onInDoubt }: Pick<RunOptions, 'signal' | 'onInDoubt'>,
): Omit<ReplayOptions, 'letters' | 'judge' | 'rate' | 'onProgress'> => ({
  log,
  send: (record) => delivery.sink.send(record),
  pipeline: delivery.name,
  topic,
  proof: delivery.proof,
  run: { id: randomUUID(), by: `process ${pid} on ${hostname()}` },
  histories,
  signal,
  giveUp,
  sendWithin: SEND_WITHIN,
  onInDoubt,
})

/** Uses `body` as the bytes of the event. The record is marked, because its value is not the one that the sender sent. */
export function editedJudge(
  body: Buffer,
  { judge }: Pick<DeadLetterSession, 'judge'>,
): DeadLetterSession['judge'] {
  return async (letter) => {
    const judgement = await judge(letter, body)
    if (judgement.kind !== 'passes') return judgement
    const { record } = judgement
    const headers = [...record.headers, { name: HEADER.edited, value: 'true' }]
    return { kind: 'passes', record: { ...record, headers } }
  }
}
