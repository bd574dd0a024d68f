import { expect, test, vi } from 'vitest'
import { EarlierEvents } from '../../src/inbox/earlier-events.js'
import { PartitionIndex } from '../../src/inbox/partition-index.js'
import { digestOf, identityOf } from '../../src/ledger/identity.js'
import { testContext } from '../helpers/context.js'
import { deferred } from '../helpers/deferred.js'
import { MAC, type MemoryLog, memoryLog } from '../helpers/kafka/memory-log.js'
import { javaPartition } from '../helpers/kafka/murmur2.js'

const PARTITIONS = 3
const digest = digestOf(Buffer.from('{}'))
const NOW = Date.now()
const newIndex = () => new PartitionIndex({ window: 60_000, entries: 100 })

function setUp(kafka: MemoryLog = memoryLog(), topic = 'inbox') {
  const { log: logger, lines } = testContext()
  const begin = () => {
    kafka.committed = kafka.records.length
  }
  const earlier = new EarlierEvents({
    pipeline: 'orders',
    topic,
    partitions: PARTITIONS,
    log: kafka,
    logger,
    terms: () => ({ mac: MAC, by: 'id+bytes', entries: 100 }),
  })
  return { kafka, earlier, lines, begin }
}

const isIn = (index: PartitionIndex, id: string) => index.has(identityOf(digest, id), Date.now())

test('each event of the targets is in the index of the partition of the inbox that its id decides', async () => {
  const { kafka, earlier, begin } = setUp()
  const ids = Array.from({ length: 30 }, (_, n) => `event-${n}`)
  for (const id of ids) kafka.append(id, digest)
  begin()
  const indexes = Array.from({ length: PARTITIONS }, newIndex)
  await Promise.all(indexes.map((index, partition) => earlier.addTo(index, partition, NOW - 60_000)))
  for (const id of ids)
    expect(indexes.map((index) => isIn(index, id))).toEqual(
      indexes.map((_, partition) => partition === javaPartition(Buffer.from(id), PARTITIONS)),
    )
})

test('records of others, records without a proof and replays of dead letters count for nothing', async () => {
  const { kafka, earlier, lines, begin } = setUp()
  kafka.append('other', digest, 'invoices')
  kafka.append('forged', digest, 'orders', { 'headgate-mac': 'AAAAAAAAAAAAAAAAAAAAAA' })
  kafka.append('replay', digest, 'orders', { 'headgate-replay-of': 'dead-0@1' })
  kafka.append('own', digest)
  begin()
  const indexes = Array.from({ length: PARTITIONS }, newIndex)
  await Promise.all(indexes.map((index, partition) => earlier.addTo(index, partition, NOW - 60_000)))
  const known = ['other', 'forged', 'replay', 'own'].filter((id) => indexes.some((index) => isIn(index, id)))
  expect(known).toEqual(['own'])
  expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', fields: { records: 1 } }))
})

test('partitions that come while the topics are read share the next read', async () => {
  const { kafka, earlier, begin } = setUp()
  kafka.append('a', digest)
  begin()
  const { readBetween } = kafka
  const underWay = deferred<void>()
  let reads = 0
  kafka.readBetween = async (ranges, visit) => {
    if (++reads === 1) await underWay.promise
    await readBetween(ranges, visit)
  }
  const indexes = Array.from({ length: PARTITIONS }, newIndex)
  const first = earlier.addTo(indexes[0] as PartitionIndex, 0, NOW - 60_000)
  await vi.waitFor(() => expect(reads).toBe(1))
  const others = indexes.slice(1).map((index, at) => earlier.addTo(index, at + 1, NOW - 60_000))
  underWay.resolve()
  await Promise.all([first, ...others])
  expect(reads).toBe(2)
  expect(indexes.filter((index) => isIn(index, 'a'))).toHaveLength(1)
})

test('after a read that failed, the next one begins again', async () => {
  const { kafka, earlier, begin } = setUp()
  kafka.append('a', digest)
  begin()
  const partition = javaPartition(Buffer.from('a'), PARTITIONS)
  const { partitions } = kafka
  kafka.partitions = () => Promise.reject(new Error('Kafka is down'))
  await expect(earlier.addTo(newIndex(), partition, NOW - 60_000)).rejects.toThrow('Kafka is down')
  kafka.partitions = partitions
  const index = newIndex()
  await earlier.addTo(index, partition, NOW - 60_000)
  expect(isIn(index, 'a')).toBe(true)
})

test('the inbox itself is not read', async () => {
  const { kafka, earlier, begin } = setUp(memoryLog(), 'events')
  kafka.append('a', digest)
  begin()
  const index = newIndex()
  await earlier.addTo(index, javaPartition(Buffer.from('a'), PARTITIONS), NOW - 60_000)
  expect(isIn(index, 'a')).toBe(false)
})

test('records from the inbox, and those before the window, are not read', async () => {
  const { kafka, earlier, begin } = setUp()
  kafka.append('old', digest)
  Object.assign(kafka.records[0] as object, { timestamp: NOW - 120_000 })
  kafka.append('a', digest)
  begin()
  kafka.append('b', digest)
  const indexes = Array.from({ length: PARTITIONS }, newIndex)
  await Promise.all(indexes.map((index, partition) => earlier.addTo(index, partition, NOW - 60_000)))
  const known = ['old', 'a', 'b'].filter((id) => indexes.some((index) => isIn(index, id)))
  expect(known).toEqual(['a'])
})

test('once there is nothing from before, the targets are not asked any more, also if they are out of reach', async () => {
  const { kafka, earlier } = setUp()
  await earlier.addTo(newIndex(), 0, NOW - 60_000)
  kafka.partitions = () => Promise.reject(new Error('Kafka is down'))
  await earlier.addTo(newIndex(), 0, NOW - 50_000)
  await expect(earlier.addTo(newIndex(), 0, NOW - 70_000)).rejects.toThrow('Kafka is down')
})
