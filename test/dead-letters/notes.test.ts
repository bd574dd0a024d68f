import { expect, test } from 'vitest'
import { History, type Note, noteRecord } from '../../src/dead-letters/notes.js'
import { memoryTopics } from '../helpers/kafka/memory-topics.js'
import { DLQ, letterRecord, PIPELINE } from './setup.js'

const receipt = { topic: 'events', partition: 0, offset: 7 }
const from = [{ topic: 'events', partition: 0, offset: 3 }]

/** The history after these notes, which follow two dead letters. */
async function after(...notes: Note[]): Promise<History> {
  const topics = memoryTopics({ [DLQ]: 1 })
  for (const id of ['a', 'b']) await topics.send(letterRecord(id))
  const at = { topic: DLQ, partition: 0, pipeline: PIPELINE }
  for (const [number, note] of notes.entries()) await topics.send(noteRecord(at, note, number))
  const history = new History(PIPELINE, 0)
  await topics.log.read([{ ...at, offset: 0 }], (record) => void history.add(record))
  return history
}

const begun = (run: string): Note => ({ kind: 'begun', run, by: `process of ${run}` })
const claimed = (run: string, ...offsets: number[]): Note => ({ kind: 'claimed', run, offsets, from })
const released = (run: string, ...offsets: number[]): Note => ({
  kind: 'settled',
  run,
  delivered: [],
  released: offsets,
})

test('a claim stands until the run notes how it ended', async () => {
  const open = await after(begun('one'), claimed('one', 0, 1))
  expect([...open.claims]).toEqual([
    [0, { run: 'one', by: 'process of one', from }],
    [1, { run: 'one', by: 'process of one', from }],
  ])
  const settled: Note = { kind: 'settled', run: 'one', delivered: [{ offset: 0, receipt }], released: [1] }
  const done = await after(begun('one'), claimed('one', 0, 1), settled)
  expect(done.claims.size).toBe(0)
  expect([...done.delivered]).toEqual([[0, receipt]])
})

test("a claim that comes after another run has begun counts for nothing, and cannot take that run's claims away", async () => {
  const history = await after(
    begun('one'),
    begun('two'),
    claimed('two', 0),
    claimed('one', 0),
    released('one', 0),
  )
  expect([...history.claims].map(([offset, { run }]) => [offset, run])).toEqual([[0, 'two']])
  expect(history.current).toEqual({ run: 'two', by: 'process of two' })
})

test('records that an earlier run has delivered count, also when it notes that late', async () => {
  const late: Note = { kind: 'settled', run: 'one', delivered: [{ offset: 0, receipt }], released: [] }
  const history = await after(begun('one'), claimed('one', 0), begun('two'), late)
  expect([...history.delivered.keys()]).toEqual([0])
  expect(history.claims.size).toBe(0)
})

test('a claim whose beginning is no longer kept counts', async () => {
  const history = await after(claimed('one', 0))
  expect([...history.claims.keys()]).toEqual([0])
})

test('notes of a run differ in their keys, so that a compacted topic keeps them all', () => {
  const at = { topic: DLQ, partition: 0, pipeline: PIPELINE }
  const keys = [0, 1].map((number) => noteRecord(at, claimed('one', 0), number).key?.toString())
  expect(new Set(keys).size).toBe(2)
})
