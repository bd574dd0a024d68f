import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { LedgerInstances } from '../../src/admin/api.js'
import type { Sink } from '../../src/contract/index.js'
import { HEADER } from '../../src/ledger/record-headers.js'
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
  const configOf = (read: readonly string[]) => ({
    pipelines: {
      [pipeline]: {
        source: { plugin: 'kafka', config: { topics: read, id: '/id', ...source } },
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
  })
  const file = join(temporaryDirectory(), 'plugins.config.json')
  const read = (topics: readonly string[]) => writeFileSync(file, JSON.stringify(configOf(topics)))
  read(topics)
  const { sink } = await startSink(
    sharedKafka(),
    [...topics, out].map((topic) => ({ topic })),
  )
  return {
    pipeline,
    topics: topics as [string, string],
    /** From the next start on. */
    read,
    produce: (topic: string, value: string, partition = 0) =>
      sink.send({ target: { topic, partition }, key: null, value: Buffer.from(value), headers: [] }),
    async start(
      env: { readonly [name: string]: string } = {},
      until: 'listening' | 'ready' = 'ready',
    ): Promise<HeadgateProcess> {
      const started = await startHeadgate({
        ...{ config: file, until },
        env: { HEADGATE_STATE_DIR: temporaryDirectory(), ...env },
      })
      onTestFinished(() => started.kill('SIGKILL'))
      return started
    },
    delivered: () => readTopics(sharedKafka(), [out]),
    dead: () => readTopics(sharedKafka(), [dead]),
  }
}

/** Lines of the log about records that are left in this topic. */
const leftIn = ({ lines }: HeadgateProcess, topic: string): string[] =>
  lines.filter((line) => line.includes('no longer reads') && line.includes(`"topic":"${topic}"`))

/** Works off the only event of a former inbox, as an instance with that config does. */
async function workOff(sink: Sink, inbox: string): Promise<void> {
  const member = await (sink as Required<Sink>).inbox(inbox).join()
  const assigned = async () => (await member.poll(1)).assigned
  await expect.poll(assigned, { ...LATER, interval: 10 }).toEqual([0])
  expect(await member.transaction([], new Map([[0, 1]]))).toEqual({ kind: 'committed' })
  await member.acknowledged(new Map([[0, 1]]))
  await member.leave()
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

  test('other topics: the records that are left in the former ones are told, stay there, and are worked off if the topics come back', async () => {
    const { topics, read, produce, start, delivered } = await startPipeline()
    const [first, second] = topics
    await produce(first, event('a'))
    const before = await start()
    await expect.poll(async () => idsOf(await delivered()), LATER).toEqual(['a'])
    await before.stop()
    await produce(first, event('left'))
    await produce(first, event('left, too'), 3)
    await produce(second, event('b'))

    read([second])
    const moved = await start({ HEADGATE_WORKERS: '2' })
    await expect.poll(async () => idsOf(await delivered()), LATER).toEqual(['a', 'b'])
    expect(leftIn(moved, first)[0]).toContain('up to 2 of its records are not worked off. They stay there')
    await moved.stop()
    const again = await start()
    expect(leftIn(again, first)).toEqual([])
    await again.stop()

    read(topics)
    await start()
    const all = ['a', 'b', 'left', 'left, too']
    await expect.poll(async () => idsOf(await delivered()).sort(), LATER).toEqual(all)
  })

  test('a pipeline that had an inbox does not begin before the events are worked off that it accepted there', async () => {
    const { pipeline, topics, produce, start, delivered } = await startPipeline()
    const inbox = await sharedTopic({ partitions: 1 })
    const { sink } = await startSink(sharedKafka(), [{ topic: inbox }], { pipeline })
    const instance = await (sink as Required<Sink>).inbox(inbox).join()
    await instance.leave()
    const headers = [{ name: HEADER.inbox, value: '{}' }]
    await sink.send({ target: { topic: inbox, partition: 0 }, key: null, value: Buffer.from('{}'), headers })
    await produce(topics[0], event('a'))
    const { admin } = await start({}, 'listening')
    const ready = async () => (await fetch(new URL('/ready', admin))).text()
    await expect.poll(ready, LATER).toContain(`1 events of \\"${inbox}\\" are not worked off`)
    expect(await delivered()).toEqual([])
    await workOff(sink, inbox)
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
