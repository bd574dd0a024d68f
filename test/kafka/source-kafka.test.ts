import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { LedgerInstances } from '../../src/admin/api.js'
import { type HeadgateProcess, startHeadgate } from '../../src/sandbox/headgate-process.js'
import { type ReadRecord, readTopics } from '../../src/sandbox/reader.js'
import { scrape } from '../../src/sandbox/reconcile.js'
import { temporaryDirectory } from '../helpers/context.js'
import { describeKafka, sharedKafka, sharedTopic } from '../helpers/kafka/real-kafka.js'
import { startSink } from '../helpers/kafka/sink.js'
import { workerPids } from '../helpers/processes/worker-pids.js'

const LATER = { timeout: 60_000, interval: 250 }

/** A pipeline from topics to topics, of which any number of instances run. */
async function startPipeline(source: object = {}, partitions = 4) {
  const pipeline = `test-${randomUUID()}`
  const topics = [await sharedTopic({ partitions }), await sharedTopic({ partitions: 1 })]
  const out = await sharedTopic({ partitions: 2 })
  const dead = await sharedTopic({ partitions: 1 })
  const config = {
    pipelines: {
      [pipeline]: {
        source: { plugin: 'kafka', config: { topics, id: '/id', ...source } },
        transforms: [
          {
            plugin: 'route',
            config: {
              rules: [
                { name: 'eu', when: { regex: '^eu', at: '/region' }, to: { topic: out, partition: 1 } },
              ],
              otherwise: { topic: out, partition: 0 },
            },
          },
        ],
        sink: {
          plugin: 'kafka',
          config: { brokers: sharedKafka(), headers: {}, key: '/id' },
          onError: 'dead-letter',
        },
        deadLetter: { topic: dead },
      },
    },
  }
  const file = join(
    temporaryDirectory({ 'plugins.config.json': JSON.stringify(config) }),
    'plugins.config.json',
  )
  const { sink } = await startSink(
    sharedKafka(),
    [...topics, out].map((topic) => ({ topic })),
  )
  return {
    pipeline,
    topics: topics as [string, string],
    produce: (topic: string, value: string, partition = 0) =>
      sink.send({ target: { topic, partition }, key: null, value: Buffer.from(value), headers: [] }),
    async start(env: { readonly [name: string]: string } = {}): Promise<HeadgateProcess> {
      const started = await startHeadgate({
        config: file,
        env: { HEADGATE_STATE_DIR: temporaryDirectory(), ...env },
      })
      onTestFinished(() => started.kill('SIGKILL'))
      return started
    },
    delivered: () => readTopics(sharedKafka(), [out]),
    dead: () => readTopics(sharedKafka(), [dead]),
  }
}

const idsOf = (records: readonly ReadRecord[]): string[] =>
  records.map(({ value }) => (JSON.parse(value.toString()) as { id: string }).id)

const event = (id: string, region = 'us'): string => `{"id":"${id}","region":"${region}"}`

describeKafka('the source kafka', () => {
  test('takes the records of its topics to explicit partitions, once for each id, and bad ones to the dead letters', async () => {
    const { pipeline, topics, produce, start, delivered, dead } = await startPipeline()
    const [first, second] = topics
    await produce(first, event('a'))
    await produce(first, event('b', 'eu'), 1)
    await produce(first, event('a'))
    await produce(first, 'not JSON', 2)
    await produce(second, event('c'))
    const { admin } = await start()
    await expect.poll(async () => idsOf(await delivered()).sort(), LATER).toEqual(['a', 'b', 'c'])
    const records = await delivered()
    expect(records.find(({ value }) => value.includes('"eu"'))).toMatchObject({ partition: 1 })
    expect(records.filter(({ partition }) => partition === 0)).toHaveLength(2)
    expect(records[0]?.headers).toMatchObject({ 'headgate-pipeline': pipeline })
    const [letter] = await dead()
    expect(letter?.value.toString()).toBe('not JSON')
    expect(letter?.headers).toMatchObject({
      'headgate-stage': 'source.kafka',
      '__connect.errors.topic': first,
      '__connect.errors.partition': '2',
      '__connect.errors.offset': '0',
    })
    const figures = await scrape(admin)
    expect(figures.sum('headgate_inbox_events_total', { pipeline, outcome: 'delivered' })).toBe(3)
    expect(figures.sum('headgate_inbox_events_total', { pipeline, outcome: 'duplicate' })).toBe(1)
    expect(figures.sum('headgate_events_total', { pipeline, outcome: 'delivered' })).toBe(3)
    expect(figures.sum('headgate_events_total', { pipeline, outcome: 'dead-lettered' })).toBe(1)
    expect(figures.sum('headgate_inbox_partitions', { pipeline })).toBe(5)
    expect(figures.sum('headgate_inbox_partitions_in_use', { pipeline })).toBe(5)
    expect(figures.sum('headgate_inbox_retention_seconds', { pipeline })).toBe(604_800)
    expect(figures.sum('headgate_inbox_oldest_seconds', { pipeline })).toBe(0)
    expect(figures.sum('headgate_inbox_lag_events', { pipeline })).toBe(0)
  })

  test('workers share the partitions, and the process counts the events of all of them', async () => {
    const { pipeline, topics, produce, start, delivered } = await startPipeline()
    const { admin, pid, stop } = await start({ HEADGATE_WORKERS: '2' })
    const owners = async () => {
      const response = await fetch(new URL(`/pipelines/${pipeline}/instances`, admin))
      const { partitions } = (await response.json()) as Extract<LedgerInstances, { kind: 'shared' }>
      return new Set(partitions.map(({ owner }) => Number(owner?.split('/')[1])))
    }
    // The result of a look is good for some seconds.
    await expect.poll(owners, { ...LATER, interval: 1000 }).toEqual(new Set(workerPids(pid)))
    const ids = Array.from({ length: 20 }, (_, n) => `event-${n}`)
    await Promise.all(ids.map((id, n) => produce(topics[0], event(id), n % 4)))
    await expect.poll(async () => idsOf(await delivered()).sort(), LATER).toEqual(ids.toSorted())
    const figures = await scrape(admin)
    expect(figures.sum('headgate_events_total', { pipeline, outcome: 'delivered' })).toBe(20)
    expect(figures.sum('headgate_inbox_partitions', { pipeline })).toBe(5)
    expect(figures.sum('headgate_inbox_partitions_in_use', { pipeline })).toBe(5)
    expect(await stop()).toEqual({ code: 0, signal: null })
  })

  test('begins with what comes from then on, and later goes on where it was', async () => {
    const { topics, produce, start, delivered } = await startPipeline({ start: 'latest' })
    const [first] = topics
    await produce(first, event('before'))
    const running = await start()
    await expect
      .poll(async () => (await scrape(running.admin)).sum('headgate_inbox_partitions'), LATER)
      .toBe(5)
    await produce(first, event('a'))
    await expect.poll(async () => idsOf(await delivered()), LATER).toEqual(['a'])
    await running.stop()
    await produce(first, event('while it was away'), 3)
    await start()
    await expect.poll(async () => idsOf(await delivered()), LATER).toEqual(['a', 'while it was away'])
  })

  test('begins with the records since a time', async () => {
    const since = new Date(Date.now() - 1000)
    const { topics, produce, start, delivered } = await startPipeline({ start: since.toISOString() })
    await produce(topics[0], event('a'))
    await start()
    await expect.poll(async () => idsOf(await delivered()), LATER).toEqual(['a'])
  })

  test('kill -9 of one of two instances in the middle: the other goes on, and each event is written once', async () => {
    const { topics, produce, start, delivered } = await startPipeline()
    const ids = Array.from({ length: 6000 }, (_, n) => `event-${n}`)
    const running = [await start(), await start()]
    const produced = (async () => {
      for (let at = 0; at < ids.length; at += 50)
        await Promise.all(
          ids
            .slice(at, at + 50)
            .map((id, n) => produce(topics[0], event(id, n % 2 === 0 ? 'eu' : 'us'), n % 4)),
        )
    })()
    await expect.poll(async () => (await delivered()).length, LATER).toBeGreaterThan(500)
    running[0]?.kill('SIGKILL')
    await start()
    await produced
    await expect.poll(async () => new Set(idsOf(await delivered())).size, LATER).toBe(ids.length)
    const written = idsOf(await delivered())
    expect(written).toHaveLength(ids.length)
    expect(written.toSorted()).toEqual(ids.toSorted())
  }, 180_000)
})
