import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { InboxMember, Sink, Target, TransactionResult } from '../../src/contract/index.js'
import { InboxAcks } from '../../src/inbox/inbox-acks.js'
import { toInboxRecord } from '../../src/inbox/inbox-record.js'
import { itemOf, pastEventOf } from '../../src/inbox/item.js'
import { WorkOff } from '../../src/inbox/work-off.js'
import { digestOf } from '../../src/ledger/identity.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { describeKafka, sharedKafka, sharedTopic } from '../helpers/kafka/real-kafka.js'
import { startSink } from '../helpers/kafka/sink.js'
import { kafkaTool } from '../helpers/kafka/tool.js'
import { growTopic } from '../helpers/kafka/topics.js'

/** As a reader with `isolation.level=read_committed` gets them, which is the default of librdkafka. */
const valuesOf = async (topic: string) =>
  (await readTopics(sharedKafka(), [topic])).map(({ value }) => value.toString())

/** Milliseconds for which an inbox keeps its records. */
const RETENTION = 691_200_000

/** The topics of one pipeline, and a sink to accept its events. */
async function setUp(partitions = 2) {
  const pipeline = `inbox-${randomUUID()}`
  const inbox = await sharedTopic({ partitions, config: { 'retention.ms': String(RETENTION) } })
  const target = await sharedTopic()
  const dead = await sharedTopic()
  const targets = [{ topic: inbox }, { topic: target }, { topic: dead }]
  const { sink } = await startSink(sharedKafka(), targets, { pipeline })
  const offered = (sink as Required<Sink>).inbox(inbox)
  const accept = (id: string, to: Target = { topic: target, partition: 0 }, body = `{"id":"${id}"}`) => {
    const bytes = Buffer.from(body)
    return offered.send(
      toInboxRecord(inbox, {
        event: { id, receivedAt: 0, body: { bytes, value: {}, slice: () => undefined } },
        digest: digestOf(bytes),
        verdict: { kind: 'send', record: { target: to, key: null, value: bytes, headers: [] } },
      }),
    )
  }
  const start = () => startInstance(pipeline, inbox, dead, targets)
  return { pipeline, inbox, target, dead, sink, accept, start }
}

/** One instance with a sink of its own, as another process has it. Acknowledgements are made when the test says so. */
async function startInstance(pipeline: string, topic: string, dead: string, targets: readonly Target[]) {
  const { sink, context } = await startSink(sharedKafka(), targets, { pipeline })
  const member = await (sink as Required<Sink>).inbox(topic).join()
  const acks = new InboxAcks({
    stages: 1,
    clock: { now: Date.now, at: (at) => at },
    keep: async () => ({ topic: 'dead', partition: 0, offset: 0 }),
  })
  const results: TransactionResult['kind'][] = []
  const workOff = new WorkOff({
    member,
    topic,
    acks,
    terms: () => ({ limits: { window: 60_000, entries: 1000 }, by: 'id+bytes', maxPending: 1000 }),
    refused: ({ event }, error) => ({
      kind: 'dead-lettered',
      record: {
        target: { topic: dead },
        key: null,
        value: Buffer.from(event.id),
        headers: [],
      },
      stage: 'sink.kafka',
      error,
    }),
    read: (record, by) =>
      itemOf(record, by, ({ value }) => ({ target: { topic: dead }, key: null, value, headers: [] })),
    past: pastEventOf,
    onWorkedOff: () => {},
    observer: { assigned() {}, revoked() {}, transaction: (result) => results.push(result) },
    log: context.log,
  })
  let isRunning = true
  const run = async () => {
    while (isRunning) await workOff.step()
  }
  const running = run()
  let left: Promise<void> | undefined
  const leave = () => {
    left ??= (async () => {
      isRunning = false
      await running
      await member.acknowledged(acks.positions())
      await member.leave()
    })()
    return left
  }
  onTestFinished(leave)
  return { member, acks, workOff, results, context, leave }
}

function acknowledgeAll(acks: InboxAcks): string[] {
  const ids: string[] = []
  for (let pending = acks.take(0, Date.now()); pending !== undefined; pending = acks.take(0, Date.now())) {
    ids.push(pending.committed.id)
    acks.acknowledged(pending)
  }
  return ids
}

const boundsOf = (member: InboxMember, partitions = 2) =>
  Promise.all(Array.from({ length: partitions }, (_, partition) => member.bounds(partition)))

describeKafka('an inbox on Kafka', () => {
  test('events are delivered in transactions, with their offsets, and acknowledged after that', async () => {
    const { target, accept, start } = await setUp()
    const { acks, member, results } = await start()
    const ids = Array.from({ length: 50 }, (_, n) => `event-${n}`)
    const receipts = await Promise.all(ids.map((id) => accept(id)))
    await vi.waitFor(() => expect(acks.count).toBe(50), { timeout: 20_000 })
    expect((await valuesOf(target)).sort()).toEqual(ids.map((id) => `{"id":"${id}"}`).sort())
    expect(new Set(receipts.map(({ partition }) => partition))).toEqual(new Set([0, 1]))
    for (const { committed, end } of await boundsOf(member)) expect(committed).toBe(end)

    expect(await member.retention()).toBe(RETENTION)

    await member.acknowledged(acks.positions())
    for (const { acknowledged } of await boundsOf(member)) expect(acknowledged).toBe(0)
    expect(acknowledgeAll(acks).sort()).toEqual([...ids].sort())
    await member.acknowledged(acks.positions())
    for (const { acknowledged, end } of await boundsOf(member)) expect(acknowledged).toBe(end)
    expect(new Set(results)).toEqual(new Set(['committed']))
  })

  test('a redelivery is recognised by the instance that takes a partition over, and acknowledged again', async () => {
    const { target, accept, start } = await setUp()
    const first = await start()
    for (const id of ['a', 'b', 'c']) await accept(id)
    await vi.waitFor(() => expect(first.acks.count).toBe(3), { timeout: 20_000 })
    expect(acknowledgeAll(first.acks)).toHaveLength(3)
    await first.leave()

    const second = await start()
    for (const id of ['a', 'b', 'c', 'd']) await accept(id)
    await vi.waitFor(() => expect(second.acks.count).toBe(4), { timeout: 20_000 })
    expect((await valuesOf(target)).sort()).toEqual(['a', 'b', 'c', 'd'].map((id) => `{"id":"${id}"}`))
    expect(acknowledgeAll(second.acks).sort()).toEqual(['a', 'b', 'c', 'd'])
  })

  test('an instance that joins gets a part of the partitions, and finds what is not acknowledged', async () => {
    const { target, accept, start } = await setUp()
    const first = await start()
    const ids = Array.from({ length: 20 }, (_, n) => `event-${n}`)
    for (const id of ids) await accept(id)
    await vi.waitFor(() => expect(first.acks.count).toBe(20), { timeout: 20_000 })

    const second = await start()
    await vi.waitFor(
      () => {
        expect(first.workOff.assignment.size).toBe(1)
        expect(second.workOff.assignment.restored()).toHaveLength(1)
      },
      { timeout: 20_000 },
    )
    const made: string[] = []
    await vi.waitFor(
      () => {
        made.push(...acknowledgeAll(first.acks), ...acknowledgeAll(second.acks))
        expect(made.sort()).toEqual([...ids].sort())
      },
      { timeout: 20_000 },
    )
    for (const id of ids) await accept(id)
    await vi.waitFor(() => expect(first.acks.count + second.acks.count).toBe(20), { timeout: 20_000 })
    expect(await valuesOf(target)).toHaveLength(20)
  })

  test('a record that its topic refuses becomes a dead letter, and the others of its batch are delivered', async () => {
    const { target, dead, accept, start } = await setUp(1)
    const small = await sharedTopic({ config: { 'max.message.bytes': '2000' } })
    const long = `{"text":"${randomUUID().repeat(100)}"}`
    for (const id of ['a', 'b']) await accept(id)
    await accept('long', { topic: small, partition: 0 }, long)
    for (const id of ['c', 'd']) await accept(id)
    const { acks, results } = await start()
    await vi.waitFor(() => expect(acks.count).toBe(5), { timeout: 30_000 })
    expect(await valuesOf(target)).toEqual(['a', 'b', 'c', 'd'].map((id) => `{"id":"${id}"}`))
    expect(await valuesOf(dead)).toEqual(['long'])
    expect(await valuesOf(small)).toEqual([])
    expect(results).toContain('refused')
  })

  test('while a target cannot be written, its partition waits, and the others go on', async () => {
    const { target, accept, start } = await setUp(2)
    const places = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((id) => accept(id)))
    const { acks, context, workOff } = await start()
    await vi.waitFor(() => expect(acks.count).toBe(6), { timeout: 20_000 })
    const stuck = places[0]?.partition
    const from = Date.now()
    await accept('a', { topic: `missing-${randomUUID()}`, partition: 0 }, '{"id":"a2"}')
    const to = Date.now()
    const others = places.flatMap(({ partition }, n) => (partition === stuck ? [] : ['abcdef'[n] as string]))
    for (const id of others) await accept(id, undefined, `{"id":"${id}2"}`)
    await vi.waitFor(() => expect(acks.count).toBe(6 + others.length), { timeout: 60_000 })
    expect(await valuesOf(target)).toHaveLength(6 + others.length)
    expect(context.lines.map(({ message }) => message).join('\n')).toContain(
      'events of a partition of the inbox wait',
    )
    // The client does not poll the partition, so it hears of no record that comes now.
    await accept('a', undefined, '{"id":"a3"}')
    await workOff.assignment.measure()
    expect(workOff.assignment.lag).toBe(2)
    expect(workOff.assignment.oldestAt).toBeGreaterThanOrEqual(from)
    expect(workOff.assignment.oldestAt).toBeLessThanOrEqual(to)
  })

  test('a record that is not ours becomes a dead letter, and holds nobody up', async () => {
    const { inbox, target, dead, sink, accept, start } = await setUp(1)
    await accept('a')
    await sink.send({
      target: { topic: inbox },
      key: Buffer.from('x'),
      value: Buffer.from('garbage'),
      headers: [],
    })
    await accept('b')
    const { acks } = await start()
    await vi.waitFor(() => expect(acks.count).toBe(2), { timeout: 20_000 })
    expect(await valuesOf(target)).toEqual(['{"id":"a"}', '{"id":"b"}'])
    expect(await valuesOf(dead)).toEqual(['garbage'])
  })

  test('when the inbox grows, ids keep their partitions: redeliveries are recognised by old instances and new ones', async () => {
    const { inbox, target, accept, start } = await setUp(2)
    const first = await start()
    const ids = Array.from({ length: 20 }, (_, n) => `event-${n}`)
    for (const id of ids) await accept(id)
    await vi.waitFor(() => expect(first.acks.count).toBe(20), { timeout: 20_000 })
    await growTopic(sharedKafka(), inbox, 5)

    const unused = 'more partitions than the 2 with which the inbox began'
    const hasWarned = ({ context }: typeof first) =>
      context.lines.some(({ message }) => message.includes(unused))
    await vi.waitFor(() => expect(hasWarned(first)).toBe(true), { timeout: 60_000 })
    const second = await start()
    expect(hasWarned(second)).toBe(true)
    const partitions = await Promise.all(ids.map(async (id) => (await accept(id)).partition))
    expect(new Set(partitions)).toEqual(new Set([0, 1]))
    await vi.waitFor(() => expect(first.acks.count + second.acks.count).toBe(40), { timeout: 20_000 })
    expect(await valuesOf(target)).toHaveLength(20)
  }, 120_000)

  test('an operator makes the inbox use more partitions, while no instance runs', async () => {
    const { pipeline, inbox, target, accept, start } = await setUp(1)
    const first = await start()
    await accept('a')
    await vi.waitFor(() => expect(first.acks.count).toBe(1), { timeout: 20_000 })
    await first.leave()
    await growTopic(sharedKafka(), inbox, 3)
    await kafkaTool(
      ...([sharedKafka(), 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'] as const),
      ...['--group', `headgate.${pipeline}.acknowledged`, '--topic', `${inbox}:1,2`],
      ...['--reset-offsets', '--to-earliest', '--execute'],
    )
    const { member } = await start()
    expect(member.partitions).toBe(3)
    expect(await valuesOf(target)).toEqual(['{"id":"a"}'])
  }, 120_000)
})
