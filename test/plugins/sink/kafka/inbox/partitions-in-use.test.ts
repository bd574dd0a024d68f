import { expect, test } from 'vitest'
import type { Position } from '../../../../../src/contract/index.js'
import { partitionsInUse } from '../../../../../src/plugins/sink/kafka/inbox/partitions-in-use.js'
import type { Consumer } from '../../../../../src/plugins/sink/kafka/log/consumer.js'
import { testContext } from '../../../../helpers/context.js'

/** A cluster with a topic of so many partitions, and the positions that instances have committed. */
function cluster(partitions: number) {
  const committed = new Map<number, number>()
  const consumer: Partial<Consumer> = {
    partitions: async () => partitions,
    offsets: async (asked) => asked.map((at) => ({ ...at, offset: 7 })),
  }
  const groups = {
    committed: async (group: string, asked: readonly Omit<Position, 'offset'>[]) => {
      expect(group).toBe('headgate.orders.acknowledged')
      return asked.map((at) => {
        const offset = committed.get(at.partition)
        return { ...at, ...(offset !== undefined && { offset }) }
      })
    },
    commit: async (_: string, positions: readonly Position[]) => {
      for (const { partition, offset } of positions) committed.set(partition, offset)
    },
  }
  const { log, lines } = testContext()
  const reader = {
    requests: { use: <Result>(task: (consumer: Consumer) => Promise<Result>) => task(consumer as Consumer) },
    groups,
  }
  const ask = () => partitionsInUse({ topic: 'inbox', group: 'headgate.orders', reader, log })
  return { committed, groups, lines, ask, grow: (count: number) => (partitions = count) }
}

test('an inbox begins with all partitions of its topic, and keeps their number as positions', async () => {
  const { ask, committed, lines } = cluster(3)
  expect(await ask()).toBe(3)
  expect([...committed]).toEqual([0, 1, 2].map((partition) => [partition, 7]))
  expect(lines).toEqual([])
})

test('when the topic grows, the number stays, and the log says so', async () => {
  const { ask, grow, lines } = cluster(3)
  await ask()
  grow(5)
  expect(await ask()).toBe(3)
  expect(lines.map(({ message }) => message).join()).toMatch(/more partitions than the 3 .* stay unused/)
})

test('the positions that instances have committed are never overwritten', async () => {
  const { ask, committed } = cluster(2)
  committed.set(0, 100).set(1, 200)
  expect(await ask()).toBe(2)
  expect([...committed.values()]).toEqual([100, 200])
})

test('two instances that begin while the topic grows agree', async () => {
  const { ask, grow, groups } = cluster(3)
  const { commit } = groups
  let other: Promise<number> | undefined
  groups.commit = async (...positions) => {
    groups.commit = commit
    grow(5)
    other = ask()
    await other
    return commit(...positions)
  }
  // It has seen three partitions, and the other five.
  expect(await ask()).toBe(5)
  expect(await other).toBe(5)
})

test('a topic that does not exist is said to be missing', async () => {
  await expect(cluster(0).ask()).rejects.toMatchObject({ code: 'HG_KAFKA_TOPIC_MISSING' })
})
