import rdkafka from 'node-rdkafka'
import { expect, onTestFinished, test } from 'vitest'
import { type Kafka, startKafka } from '../../src/sandbox/kafka.js'
import { followTopics, type ReadRecord, readTopics } from '../../src/sandbox/reader.js'

async function kafka(topics: readonly string[]): Promise<Kafka> {
  const started = await startKafka(topics)
  onTestFinished(() => started.stop())
  return started
}

async function produce(bootstrap: string, topic: string, partition: number, values: readonly string[]) {
  const producer = new rdkafka.Producer({ 'metadata.broker.list': bootstrap, dr_cb: true, log_level: 3 })
  await new Promise((resolve, reject) =>
    producer.connect({}, (error, data) => (error ? reject(error) : resolve(data))),
  )
  const delivered = new Promise<void>((resolve) => {
    let reports = 0
    producer.on('delivery-report', () => ++reports === values.length && resolve())
  })
  producer.setPollInterval(5)
  for (const value of values) {
    const headers = [{ one: 'first' }, { two: 'zweite ü' }]
    producer.produce(
      topic,
      partition,
      Buffer.from(value),
      Buffer.from(`key of ${value}`),
      null,
      undefined,
      headers,
    )
  }
  await delivered
  producer.setPollInterval(0)
  await new Promise<void>((resolve) => producer.disconnect(() => resolve()))
}

test('what one process produces, the reader reads: value, key, headers and place', async () => {
  const { bootstrap } = await kafka(['orders'])
  await produce(bootstrap, 'orders', 3, ['{"n":9007199254740993}', 'ü'])
  const records = await readTopics(bootstrap, ['orders'])
  expect(records).toEqual([
    {
      topic: 'orders',
      partition: 3,
      offset: 0,
      timestamp: expect.any(Number),
      key: Buffer.from('key of {"n":9007199254740993}'),
      value: Buffer.from('{"n":9007199254740993}'),
      headers: { one: 'first', two: 'zweite ü' },
    },
    expect.objectContaining({ offset: 1, value: Buffer.from('ü') }),
  ])
})

test('topics that nothing was produced to are there, and empty', async () => {
  const { bootstrap } = await kafka(['one', 'two.three'])
  expect(await readTopics(bootstrap, ['one', 'two.three'])).toEqual([])
})

test('a follower is told of records that come later', async () => {
  const { bootstrap } = await kafka(['orders'])
  const seen: ReadRecord[] = []
  const reader = await followTopics(bootstrap, ['orders'], (record) => seen.push(record))
  onTestFinished(() => reader.close())
  await reader.caughtUp()
  await produce(bootstrap, 'orders', 0, ['a', 'b'])
  await produce(bootstrap, 'orders', 1, ['c'])
  await reader.caughtUp()
  expect(seen.map(({ value }) => value.toString()).sort()).toEqual(['a', 'b', 'c'])
})

test('reading a topic that does not exist says so', async () => {
  const { bootstrap } = await kafka(['orders'])
  await expect(readTopics(bootstrap, ['odrers'])).rejects.toThrow('no topic odrers')
})

test('a stopped Kafka leaves no process, a frozen one neither', async () => {
  const running = await kafka([])
  const frozen = await kafka([])
  process.kill(frozen.pid, 'SIGSTOP')
  await Promise.all([running.stop(), frozen.stop()])
  expect(() => process.kill(running.pid, 0)).toThrow('ESRCH')
  expect(() => process.kill(frozen.pid, 0)).toThrow('ESRCH')
})
