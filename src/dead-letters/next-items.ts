import { HEADER } from '../ledger/record-headers.js'
import { type Judgement, whyNot } from './judge.js'
import type { Lane } from './lane.js'
import { type DeadLetter, nameOf } from './letter.js'
import { readUntil } from './read-until.js'
import type { ReplayOptions, Tally } from './replay.js'
import type { Item } from './send-batch.js'

const MOST_BYTES = 32 * 1024 * 1024

/** Takes the first letters from the queue, as many as may be in memory at once, and makes their records. */
export async function nextItems(
  lane: Lane,
  { log, topic, judge }: ReplayOptions,
  { failed }: Tally,
): Promise<readonly Item[]> {
  const [first] = lane.queue
  if (first === undefined) return []
  const wanted = new Map(lane.queue.map((letter) => [letter.offset, letter]))
  const values = new Map<DeadLetter, Buffer>()
  let bytes = 0
  let end = Number.POSITIVE_INFINITY
  const from = { topic, partition: lane.partition, offset: first.offset }
  await readUntil(log, from, ({ offset, value }) => {
    const letter = wanted.get(offset)
    if (letter === undefined) return false
    if (bytes >= MOST_BYTES) {
      end = offset
      return true
    }
    bytes += value.length
    values.set(letter, value)
    return values.size === wanted.size
  })

  const items: Item[] = []
  for (const letter of lane.queue.filter(({ offset }) => offset < end)) {
    const value = values.get(letter)
    const made = value === undefined ? 'it is no longer there' : itemOf(letter, await judge(letter, value))
    if (typeof made === 'string') failed.push({ letter, why: made })
    else items.push(made)
  }
  lane.queue = lane.queue.filter(({ offset }) => offset >= end)
  return items
}

/** The record that becomes of a letter, or why there is none. */
function itemOf(letter: DeadLetter, judgement: Judgement): Item | string {
  if (judgement.kind !== 'passes') return whyNot(judgement)
  const { record } = judgement
  const headers = [...record.headers, { name: HEADER.replayOf, value: nameOf(letter) }]
  return { letter, record: { ...record, headers } }
}
