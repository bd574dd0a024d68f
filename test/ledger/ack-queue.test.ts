import { expect, test } from 'vitest'
import { AckQueue } from '../../src/ledger/ack-queue.js'
import { levelOf, type StoredAck } from '../../src/ledger/rows.js'

const ack = (id: string, attempts = 0, dueAt = 0): StoredAck => ({
  ...{ key: [1, 0], committed: { id }, committedAt: 0, stage: 0, attempts, dueAt, spilled: false },
})
const ids = (queue: AckQueue, count: number, newOnly = false): (string | undefined)[] =>
  Array.from({ length: count }, () => queue.take(0, newOnly)?.committed.id)

test('of five turns, four go to acknowledgements without an attempt, the oldest first', () => {
  const queue = new AckQueue()
  for (let at = 0; at < 10; at++) queue.push(ack(`fresh-${at}`))
  for (let at = 0; at < 3; at++) queue.push(ack(`failed-${at}`, 1, at - 10))
  expect(ids(queue, 10)).toEqual([
    ...['fresh-0', 'fresh-1', 'fresh-2', 'fresh-3', 'failed-0'],
    ...['fresh-4', 'fresh-5', 'fresh-6', 'fresh-7', 'failed-1'],
  ])
})

test('if many without an attempt wait, the newest is attempted soon, and so is the oldest', () => {
  const queue = new AckQueue()
  for (let at = 0; at < 2000; at++) queue.push(ack(`fresh-${at}`))
  expect(ids(queue, 3)).toEqual(['fresh-1999', 'fresh-0', 'fresh-1998'])
})

test('if only one kind waits, it gets all turns', () => {
  const queue = new AckQueue()
  for (let at = 0; at < 7; at++) queue.push(ack(`failed-${at}`, 1, at - 10))
  expect(ids(queue, 3, true)).toEqual([undefined, undefined, undefined])
  expect(ids(queue, 8)).toEqual([...Array.from({ length: 7 }, (_, at) => `failed-${at}`), undefined])
  for (let at = 0; at < 7; at++) queue.push(ack(`fresh-${at}`))
  expect(new Set(ids(queue, 8)).size).toBe(8)
})

test('one that failed once is not behind those that failed often, and none is attempted before it is due', () => {
  const queue = new AckQueue()
  for (let at = 0; at < 1000; at++) queue.push(ack('often', 40, -1000))
  queue.push(ack('once', 1, -1))
  queue.push(ack('later', 2, 5))
  expect(ids(queue, 3)).toContain('once')
  expect(ids(queue, 998)).not.toContain('later')
  expect(queue.dueAt(false)).toBe(5)
  expect(queue.dueAt(true)).toBeUndefined()
})

test('the level grows with the logarithm of the attempts', () => {
  expect([0, 1, 2, 3, 4, 7, 8, 15, 16, 1e9].map(levelOf)).toEqual([0, 1, 2, 2, 3, 3, 4, 4, 5, 5])
})

test('however many come and go, each is taken once', () => {
  const queue = new AckQueue()
  const taken: (string | undefined)[] = []
  for (let at = 0; at < 10_000; at++) {
    queue.push(ack(String(at), at % 3))
    if (at % 2 === 0) taken.push(...ids(queue, 1))
  }
  expect(queue.all()).toHaveLength(10_000 - taken.length)
  taken.push(...ids(queue, 10_000 - taken.length))
  expect(new Set(taken).size).toBe(10_000)
  expect(queue.all()).toEqual([])
})
