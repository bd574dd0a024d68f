import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import rdkafka from 'node-rdkafka'
import { expect, test, vi } from 'vitest'
import type { Sink } from '../../src/contract/index.js'
import { HEADER } from '../../src/ledger/record-headers.js'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { describeKafka, sharedKafka, sharedTopic } from '../helpers/kafka/real-kafka.js'
import { startSink } from '../helpers/kafka/sink.js'
import { createTopic } from '../helpers/kafka/topics.js'
import { type Deployment, deploy, eventText } from '../helpers/processes/deployment.js'

const LATER = { timeout: 40_000, interval: 100 }

/** A deployment whose config can get an inbox, which can be another topic, and lose it. */
async function deployMoving() {
  const deployment = await deploy(sharedKafka())
  const [inbox, otherInbox] = [`${deployment.prefix}.inbox`, `${deployment.prefix}.other-inbox`]
  for (const topic of [inbox, otherInbox]) await createTopic(sharedKafka(), topic, { partitions: 3 })
  const without = readFileSync(deployment.configFile, 'utf8')
  const addInbox = (topic = inbox) =>
    writeFileSync(
      deployment.configFile,
      without.replace('"source": {', `"inbox": { "topic": "${topic}" }, "source": {`),
    )
  return {
    deployment,
    otherInbox,
    addInbox,
    removeInbox: () => writeFileSync(deployment.configFile, without),
  }
}

/** Posts each of these events, and returns the outcomes. */
async function postAll({ post }: Deployment, ids: readonly string[]): Promise<unknown[]> {
  const responses = await Promise.all(ids.map((id) => post(eventText(id, '{}'))))
  return [...new Set(responses.map(({ body }) => body['outcome'] ?? body['code']))]
}

const idsOf = async (deployment: Deployment): Promise<string[]> =>
  (await deployment.records()).map(({ headers }) => headers[HEADER.id] ?? '').sort()

const timesOf = ({ cxone }: Deployment, ids: readonly string[]): number[] =>
  ids.map((id) => cxone.acknowledged.get(id) ?? 0)

const failAlways = function* () {
  for (;;) yield { status: 503 }
}

/** In a transaction that is aborted, as that of an instance with an inbox that was interrupted. */
async function writeAborted(topic: string, id: string): Promise<void> {
  const producer = new rdkafka.Producer({
    'bootstrap.servers': sharedKafka(),
    'transactional.id': randomUUID(),
  })
  await promisify(producer.connect.bind(producer))({})
  const call = (name: 'initTransactions' | 'beginTransaction' | 'abortTransaction' | 'flush') =>
    new Promise<void>((resolve, reject) => {
      const done = (error: unknown) => (error ? reject(error) : resolve())
      if (name === 'beginTransaction') producer.beginTransaction(done)
      else producer[name](10_000, done)
    })
  await call('initTransactions')
  await call('beginTransaction')
  producer.produce(topic, 0, Buffer.from('{}'), null, undefined, undefined, [{ [HEADER.id]: id }])
  await call('flush')
  await call('abortTransaction')
  await new Promise((resolve) => producer.disconnect(resolve))
}

describeKafka('a pipeline that gets an inbox, changes it, and loses it', () => {
  test('events of each time are recognised in the next, and not acknowledged again without a redelivery', async () => {
    const { deployment, addInbox, removeInbox } = await deployMoving()
    const all: string[] = []
    const deliver = async (prefix: string, outcome: string) => {
      const ids = Array.from({ length: 12 }, (_, n) => `${prefix}-${n}`)
      all.push(...ids)
      expect(await postAll(deployment, ids)).toEqual([outcome])
      await vi.waitFor(() => expect(timesOf(deployment, ids)).toEqual(ids.map(() => 1)), LATER)
      expect(await idsOf(deployment)).toEqual([...all].sort())
    }
    const move = async (change: () => void) => {
      await deployment.end('SIGTERM')
      change()
      await deployment.start()
    }
    await deliver('first', 'delivered')

    await move(addInbox)
    expect(await postAll(deployment, all)).toEqual(['accepted'])
    await deliver('second', 'accepted')

    await move(removeInbox)
    const before = timesOf(deployment, all)
    expect(before).toEqual(all.map((id) => (id.startsWith('first') ? 2 : 1)))
    await deliver('third', 'delivered')
    expect(timesOf(deployment, all).slice(0, before.length)).toEqual(before)
    expect(await postAll(deployment, all)).toEqual(['duplicate'])

    await move(addInbox)
    expect(await postAll(deployment, all)).toEqual(['accepted'])
    await deliver('fourth', 'accepted')
  }, 180_000)

  test('an inbox is refused while an instance without one runs, or has left acknowledgements', async () => {
    const { deployment, addInbox, removeInbox } = await deployMoving()
    const { configFile, environment, cxone } = deployment
    cxone.script('acknowledge', failAlways())
    expect(await postAll(deployment, ['a', 'b', 'c'])).toEqual(['delivered'])
    addInbox()
    await expect(startHeadgate({ config: configFile, env: environment })).rejects.toThrow(
      'An instance without an inbox runs this pipeline',
    )
    await deployment.end('SIGKILL')
    // The place of the one that was killed is free again after its session.
    await vi.waitFor(
      () => expect(deployment.start()).rejects.toThrow('3 events from before the inbox are not acknowledged'),
      LATER,
    )
    removeInbox()
    cxone.script('acknowledge', [])
    await deployment.start()
    await vi.waitFor(() => expect(timesOf(deployment, ['a', 'b', 'c'])).toEqual([1, 1, 1]), LATER)
    await deployment.end('SIGTERM')
    addInbox()
    await deployment.start()
    expect(await postAll(deployment, ['a', 'd'])).toEqual(['accepted'])
    await vi.waitFor(() => expect(timesOf(deployment, ['a', 'd'])).toEqual([2, 1]), LATER)
    expect(await idsOf(deployment)).toEqual(['a', 'b', 'c', 'd'])
  }, 180_000)

  test('while an inbox is worked off or has events that are not acknowledged, no event is taken without it', async () => {
    const { deployment, addInbox, removeInbox } = await deployMoving()
    const { cxone } = deployment
    await deployment.end('SIGTERM')
    addInbox()
    await deployment.start()
    cxone.script('acknowledge', failAlways())
    expect(await postAll(deployment, ['a', 'b', 'c'])).toEqual(['accepted'])
    await vi.waitFor(async () => expect(await idsOf(deployment)).toEqual(['a', 'b', 'c']), LATER)
    const owner = deployment.headgate.pid
    await deployment.end('SIGKILL')
    removeInbox()
    await deployment.start('listening')
    const reasons = async () => (await deployment.ready()).reasons.join('\n')
    await vi.waitFor(async () => expect(await reasons()).toContain(`/${owner} runs it with "`), LATER)
    await vi.waitFor(async () => expect(await reasons()).toContain('3 are not acknowledged'), LATER)
    expect(await postAll(deployment, ['a', 'd'])).toEqual(['HG_LEDGER_NOT_READY'])
    await deployment.end('SIGTERM')

    addInbox()
    cxone.script('acknowledge', [])
    await deployment.start()
    await vi.waitFor(() => expect(timesOf(deployment, ['a', 'b', 'c'])).toEqual([1, 1, 1]), LATER)
    await deployment.end('SIGTERM')
    removeInbox()
    await deployment.start()
    expect(await postAll(deployment, ['a', 'b', 'c'])).toEqual(['duplicate'])
  }, 180_000)

  test('an inbox becomes another topic once nothing is left in it, and events of each are recognised in the other', async () => {
    const { deployment, addInbox, otherInbox } = await deployMoving()
    const { cxone } = deployment
    const accept = async (ids: readonly string[]) =>
      expect(await postAll(deployment, ids)).toEqual(['accepted'])
    await deployment.end('SIGTERM')
    addInbox()
    await deployment.start()
    cxone.script('acknowledge', failAlways())
    await accept(['a', 'b'])
    await vi.waitFor(async () => expect(await idsOf(deployment)).toEqual(['a', 'b']), LATER)
    await deployment.end('SIGTERM')
    addInbox(otherInbox)
    await expect(deployment.start()).rejects.toThrow(
      /0 events of \S*\.inbox\S* are not worked off, and 2 are not/,
    )

    addInbox()
    cxone.script('acknowledge', [])
    await deployment.start()
    await vi.waitFor(() => expect(timesOf(deployment, ['a', 'b'])).toEqual([1, 1]), LATER)
    await deployment.end('SIGTERM')
    addInbox(otherInbox)
    await deployment.start()
    await accept(['a', 'c'])
    await vi.waitFor(() => expect(timesOf(deployment, ['a', 'c'])).toEqual([2, 1]), LATER)
    await deployment.end('SIGTERM')
    addInbox()
    await deployment.start()
    await accept(['b', 'c', 'd'])
    await vi.waitFor(() => expect(timesOf(deployment, ['b', 'c', 'd'])).toEqual([2, 2, 1]), LATER)
    expect(await idsOf(deployment)).toEqual(['a', 'b', 'c', 'd'])
  }, 180_000)

  test('an inbox that is used again has begun for every instance before an event is worked off', async () => {
    const [topic, target] = [await sharedTopic(), await sharedTopic()]
    const { sink } = await startSink(sharedKafka(), [{ topic: target }], {
      pipeline: `moving-${randomUUID()}`,
    })
    const inbox = (sink as Required<Sink>).inbox(topic)
    expect(await inbox.status()).toBe('new')
    await inbox.reuse()
    expect(await inbox.status()).toBe('new')
    await (await inbox.join()).leave()
    expect(await inbox.status()).toBe('begun')
    const leave = async () => (await sink.log?.formerTopics?.([]))?.leave([])
    await leave()
    expect(await inbox.status()).toBe('new')
    await inbox.reuse()
    expect(await inbox.status()).toBe('begun')
    await leave()
    expect(await inbox.status()).toBe('new')
  }, 60_000)

  test('records of aborted transactions are not read if the pipeline ever had an inbox', async () => {
    const [inbox, target] = [await sharedTopic(), await sharedTopic()]
    await writeAborted(target, 'aborted')
    const pipeline = `moving-${randomUUID()}`
    const targets = [{ topic: target }]
    const before = await startSink(sharedKafka(), targets, { pipeline })
    await before.send({ topic: target, partition: 0 }, 'a')
    expect(await before.read()).toEqual(['aborted', 'a'])
    const member = await (before.sink as Required<Sink>).inbox(inbox).join()
    await member.leave()
    const after = await startSink(sharedKafka(), targets, { pipeline })
    expect(await after.read()).toEqual(['a'])
  }, 60_000)
})
