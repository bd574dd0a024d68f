import { expect, test } from 'vitest'
import { AckQueue, levelOf } from '../../src/ledger/ack-queue.js'
import type { Owed } from '../../src/ledger/rows.js'

const owed = (id: string, attempts = 0, dueAt = 0): Owed => ({
  ...{ key: [1, 0], committed: { id }, committedAt: 0, stage: 0, attempts, dueAt, parked: false },
})
const ids = (queue: AckQueue, count: number, untriedOnly = false): (string | undefined)[] =>
  Array.from({ length: count }, () => queue.take(0, untriedOnly)?.committed.id)

test('of five turns, four are of never-tried ones, the oldest first', () => {
  const queue = new AckQueue()
  for (let at = 0; at < 10; at++) queue.push(owed(`fresh-${at}`))
  for (let at = 0; at < 3; at++) queue.push(owed(`failed-${at}`, 1, at - 10))
  expect(ids(queue, 10)).toEqual([
    ...['fresh-0', 'fresh-1', 'fresh-2', 'fresh-3', 'failed-0'],
    ...['fresh-4', 'fresh-5', 'fresh-6', 'fresh-7', 'failed-1'],
  ])
})

test('where many never-tried ones wait, the newest is tried soon, and so is the oldest', () => {
  const queue = new AckQueue()
  for (let at = 0; at < 2000; at++) queue.push(owed(`fresh-${at}`))
  expect(ids(queue, 3)).toEqual(['fresh-1999', 'fresh-0', 'fresh-1998'])
})

test('where only one kind waits, it has all turns', () => {
  const queue = new AckQueue()
  for (let at = 0; at < 7; at++) queue.push(owed(`failed-${at}`, 1, at - 10))
  expect(ids(queue, 3, true)).toEqual([undefined, undefined, undefined])
  expect(ids(queue, 8)).toEqual([...Array.from({ length: 7 }, (_, at) => `failed-${at}`), undefined])
  for (let at = 0; at < 7; at++) queue.push(owed(`fresh-${at}`))
  expect(new Set(ids(queue, 8)).size).toBe(8)
})

test('one that failed once is not behind those that failed often, and none is tried before it is due', () => {
  const queue = new AckQueue()
  for (let at = 0; at < 1000; at++) queue.push(owed('often', 40, -1000))
  queue.push(owed('once', 1, -1))
  queue.push(owed('later', 2, 5))
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
    queue.push(owed(String(at), at % 3))
    if (at % 2 === 0) taken.push(...ids(queue, 1))
  }
  expect(queue.all()).toHaveLength(10_000 - taken.length)
  taken.push(...ids(queue, 10_000 - taken.length))
  expect(new Set(taken).size).toBe(10_000)
  expect(queue.all()).toEqual([])
})
