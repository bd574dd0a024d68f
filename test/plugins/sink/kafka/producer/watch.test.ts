import { expect, test, vi } from 'vitest'
import { askForPartitions, topologyProblems } from '../../../../../src/plugins/sink/kafka/producer/watch.js'

const at = (location: string, topic: string, partition?: number) => ({
  location,
  target: { topic, ...(partition !== undefined && { partition }) },
})

test('asks for each topic once', async () => {
  const session = { ping: vi.fn(async () => {}), partitions: vi.fn(async () => 1) }
  expect(await askForPartitions(session, [at('a', 'x', 0), at('b', 'y'), at('c', 'x')], 10)).toEqual(
    new Map([
      ['x', 1],
      ['y', 1],
    ]),
  )
  expect(session.partitions.mock.calls).toEqual([
    ['x', 10],
    ['y', 10],
  ])
  expect(session.ping).not.toHaveBeenCalled()
})

test('still asks whether Kafka is there if no target is known', async () => {
  const session = { ping: vi.fn(() => Promise.reject(new Error('no response'))), partitions: vi.fn() }
  await expect(askForPartitions(session, [], 10)).rejects.toThrow('no response')
})

test('finds nothing wrong if all targets exist', () => {
  expect(topologyProblems([at('a', 'x', 0), at('b', 'x', 2), at('c', 'x')], new Map([['x', 3]]))).toEqual([])
})

test('names every missing topic and partition with all its places', () => {
  const targets = [
    at('c.json:1:1', 'x', 3),
    at('c.json:2:1', 'gone', 9),
    at('c.json:3:1', 'x', 3),
    at('c.json:4:1', 'one', 1),
  ]
  const problems = topologyProblems(
    [...targets, at('c.json:5:1', 'x', 7)],
    new Map([
      ['x', 3],
      ['one', 1],
    ]),
  )
  expect(problems).toEqual([
    {
      code: 'HG_KAFKA_PARTITION_MISSING',
      message: 'Topic "x" has no partition 3 (c.json:1:1, c.json:3:1): its 3 partitions are 0 to 2.',
    },
    {
      code: 'HG_KAFKA_PARTITION_MISSING',
      message: 'Topic "x" has no partition 7 (c.json:5:1): its 3 partitions are 0 to 2.',
    },
    { code: 'HG_KAFKA_TOPIC_MISSING', message: 'Topic "gone" does not exist (c.json:2:1).' },
    {
      code: 'HG_KAFKA_PARTITION_MISSING',
      message: 'Topic "one" has no partition 1 (c.json:4:1): it has one partition, 0.',
    },
  ])
})
