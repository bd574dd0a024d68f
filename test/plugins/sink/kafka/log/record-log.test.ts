import { expect, onTestFinished, test, vi } from 'vitest'
import type { LoggedRecord, Position, RecordLog, Sink, Target } from '../../../../../src/contract/index.js'
import { kafkaSink } from '../../../../../src/plugins/sink/kafka/index.js'
import { fillDefaults, testContext } from '../../../../helpers/context.js'
import { startMockCluster } from '../mock-cluster.js'

const TOPIC = 'orders'
const at = (partition: number, offset: number): Position => ({ topic: TOPIC, partition, offset })
const unavailable = expect.objectContaining({ code: 'HG_KAFKA_UNAVAILABLE' })

interface Opened {
  readonly sink: Sink
  readonly log: RecordLog
  send(partition: number, id: string): Promise<unknown>
}

async function opened(targets: readonly Target[] = [{ topic: TOPIC }], brokers?: string): Promise<Opened> {
  const bootstrap = brokers ?? (await startMockCluster([TOPIC])).bootstrap
  const context = testContext()
  const sink = kafkaSink.create(fillDefaults(kafkaSink, { brokers: bootstrap }), context)
  sink.expect(targets.map((target) => ({ target, location: 'plugins.config.json:14:60' })))
  onTestFinished(async () => {
    context.abort()
    await sink.stop?.()
  })
  await sink.start?.()
  if (sink.log === undefined) throw new Error('The sink has no log.')
  return {
    sink,
    log: sink.log,
    send: (partition, id) =>
      sink.send({
        target: { topic: TOPIC, partition },
        key: null,
        value: Buffer.from('{}'),
        headers: [{ name: 'headgate-event-id', value: id }],
      }),
  }
}

async function idsFrom(log: RecordLog, from: readonly Position[]): Promise<(string | undefined)[]> {
  const records: LoggedRecord[] = []
  await log.read(from, (record) => records.push(record))
  return records.map((record) => record.header('headgate-event-id'))
}

test('knows every partition of a topic without a fixed one, and the start and end of each', async () => {
  const { log, send } = await opened()
  await send(2, 'a')
  await send(2, 'b')
  const partition = (number: number, end: number) => ({
    topic: TOPIC,
    partition: number,
    start: 0,
    end,
    committed: undefined,
  })
  expect(await log.partitions()).toEqual([partition(0, 0), partition(1, 0), partition(2, 2), partition(3, 0)])
})

test('knows only the fixed partitions of a topic that has no other targets, each once', async () => {
  const fixed = [
    { topic: TOPIC, partition: 3 },
    { topic: TOPIC, partition: 1 },
    { topic: TOPIC, partition: 3 },
  ]
  const { log } = await opened(fixed)
  expect((await log.partitions()).map(({ partition }) => partition)).toEqual([3, 1])
})

test('knows others too when it is asked for them, as far as they exist', async () => {
  const { log } = await opened([{ topic: TOPIC, partition: 3 }])
  const also = [at(1, 7), at(3, 7), at(99, 7), { topic: 'gone', partition: 0 }]
  expect((await log.partitions(also)).map(({ partition }) => partition)).toEqual([3, 1])
})

test('shows the committed offsets, and commits nothing if there are no positions', async () => {
  const { log, send } = await opened()
  await send(0, 'a')
  await log.commit([])
  await log.commit([at(0, 1), at(2, 0)])
  expect((await log.partitions()).map(({ committed }) => committed)).toEqual([1, undefined, 0, undefined])
  await log.commit([at(0, 0)])
  expect((await log.partitions())[0]?.committed).toBe(0)
})

test('visits the records from each position to the end, and nothing if that is beyond it', async () => {
  const { log, send } = await opened()
  for (const id of ['a', 'b', 'c']) await send(1, id)
  await send(2, 'd')
  expect(await idsFrom(log, [at(1, 1), at(3, 0), at(2, 5)])).toEqual(['b', 'c'])
  expect(await idsFrom(log, [])).toEqual([])
})

test('sees a record that comes while it makes sure that none comes any more', async () => {
  const { log, send } = await opened()
  await send(0, 'before')
  const late = vi.fn(() => void send(0, 'late'))
  const seen: unknown[] = []
  await log.read([at(0, 0)], (record) => {
    seen.push(record.header('headgate-event-id'))
    if (seen.length === 1) setTimeout(late, 100)
  })
  expect(late).toHaveBeenCalledOnce()
  expect(seen).toEqual(['before', 'late'])
})

test('rejects with the error that the visitor throws, and can be read again', async () => {
  const { log, send } = await opened()
  await send(0, 'a')
  const full = new Error('disk full')
  await expect(
    log.read([at(0, 0)], () => {
      throw full
    }),
  ).rejects.toBe(full)
  expect(await idsFrom(log, [at(0, 0)])).toEqual(['a'])
})

test('says which topic is missing', async () => {
  const { log } = await opened([{ topic: TOPIC }, { topic: 'nowhere' }])
  await expect(log.partitions()).rejects.toMatchObject({
    code: 'HG_KAFKA_TOPIC_MISSING',
    kind: 'infrastructure',
    message: 'Topic "nowhere" does not exist.',
  })
})

test('rejects all of it while Kafka cannot be reached', async () => {
  const { log } = await opened([{ topic: TOPIC, partition: 0 }], '127.0.0.1:1')
  await Promise.all([
    expect(log.partitions()).rejects.toEqual(unavailable),
    expect(log.fence()).rejects.toEqual(unavailable),
  ])
}, 30_000)

test('ends reads in flight when the sink stops, and does nothing afterwards', async () => {
  const { sink, log, send } = await opened()
  await send(0, 'a')
  const reading = log.read([at(0, 0)], () => {})
  const failed = expect(reading).rejects.toEqual(unavailable)
  await sink.stop?.()
  await failed
  await expect(log.commit([at(0, 1)])).rejects.toEqual(unavailable)
  await expect(log.fence()).rejects.toEqual(unavailable)
})

test('has a new session after a fence, one for all simultaneous fences', async () => {
  const { sink, log, send } = await opened()
  await send(0, 'a')
  await Promise.all([log.fence(), log.fence()])
  expect(sink.notReady?.()).toEqual([])
  await send(0, 'b')
  expect(await idsFrom(log, [at(0, 0)])).toEqual(['a', 'b'])
})
