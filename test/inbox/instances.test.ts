import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toInboxRecord } from '../../src/inbox/inbox-record.js'
import { type Fault, INBOX, MemoryInbox } from '../helpers/kafka/memory-inbox.js'
import { decided, Instance } from './instance.js'

/** A simulation of the group, its transactions and crashes: instances share an inbox, and a random schedule runs them. */

const PARTITIONS = 3
const IDS = 12

type Op =
  | { readonly do: 'accept'; readonly id: number; readonly content: string }
  | {
      readonly do:
        | 'step'
        | 'acknowledge'
        | 'commit'
        | 'kill'
        | 'leave'
        | 'expire'
        | 'rewind'
        | 'hold'
        | 'release'
      readonly which: number
    }
  | { readonly do: 'fault'; readonly which: number; readonly fault: Fault }
  | { readonly do: 'start' }
  | { readonly do: 'garbage' }

const which = fc.nat(3)
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      id: fc.nat(IDS - 1),
      content: fc.constantFrom('one', 'other', 'too large'),
    }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('step' as const), which }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('commit' as const, 'leave' as const, 'expire' as const),
      which,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('kill' as const, 'rewind' as const), which }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'release' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      which,
      fault: fc.constantFrom<Fault>('unavailable', 'dies-before', 'dies-after', 'expires'),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Op>({ do: 'start' }) },
  { weight: 1, arbitrary: fc.constant<Op>({ do: 'garbage' }) },
)

const MOST_INSTANCES = 4

async function simulate(ops: readonly Op[]) {
  const inbox = new MemoryInbox(PARTITIONS)
  let instances: Instance[] = []
  /** Per partition, the first places of distinct events, in order. */
  const first = new Map<string, { readonly partition: number; readonly offset: number }>()
  const accepted: string[] = []
  const acknowledged = new Set<string>()
  let garbage = 0

  const made = (partition: number, offset: number): void => {
    if (offset >= (inbox.committed.get(partition) ?? 0)) throw new Error('acknowledged before it is durable')
    acknowledged.add(`${partition} ${offset}`)
  }

  async function run(op: Op): Promise<void> {
    if (op.do === 'accept') {
      const event = decided(`id-${op.id}`, op.content)
      const { partition, offset } = inbox.accept(toInboxRecord(INBOX, event))
      accepted.push(`${partition} ${offset}`)
      const text = event.event.body.bytes.toString()
      if (!first.has(text)) first.set(text, { partition, offset })
    } else if (op.do === 'garbage') {
      inbox.accept({
        target: { topic: INBOX },
        key: Buffer.from(`${garbage++}`),
        value: Buffer.from('?'),
        headers: [],
      })
    } else if (op.do === 'start') {
      if (instances.length < MOST_INSTANCES) instances.push(new Instance(inbox))
    } else {
      const instance = instances[op.which % Math.max(1, instances.length)]
      if (instance === undefined) return
      if (op.do === 'fault') instance.member.fault = op.fault
      if (op.do === 'step') await instance.step()
      if (op.do === 'acknowledge') instance.acknowledge(made)
      if (op.do === 'commit') await instance.commitAcknowledged()
      if (op.do === 'expire' || op.do === 'kill') inbox.expire(instance.member)
      if (op.do === 'leave') await instance.member.leave()
      if (op.do === 'rewind') instance.member.rewind()
      if (op.do === 'hold') instance.member.hold()
      if (op.do === 'release') instance.member.release()
      if (op.do === 'kill' || op.do === 'leave') instances = instances.filter((each) => each !== instance)
    }
    instances = instances.filter(({ member }) => !member.isDead)
  }

  for (const each of ops) await run(each)
  // Faults are over: the remaining instances work off the rest.
  for (const { member } of instances) {
    member.fault = undefined
    member.release()
  }
  await run({ do: 'start' })
  const reached = (offsets: ReadonlyMap<number, number>) =>
    [...inbox.partitions.entries()].every(
      ([partition, { length }]) => (offsets.get(partition) ?? 0) === length,
    )
  const isDone = () => reached(inbox.committed) && reached(inbox.acknowledged)
  for (let round = 0; round < 1000 && !isDone(); round++)
    for (const instance of instances) {
      await instance.step()
      for (let ack = 0; ack < 10; ack++) instance.acknowledge(made)
      await instance.commitAcknowledged()
    }
  return { inbox, first, accepted, acknowledged, garbage, isDone: isDone() }
}

test('whatever instances do, each event is written once, in order, and acknowledged after that', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 10, maxLength: 150, size: 'max' }), async (ops) => {
      const { inbox, first, accepted, acknowledged, garbage, isDone } = await simulate(ops)
      expect(isDone).toBe(true)
      const texts = inbox.written.map(({ value }) => value.toString())
      expect(texts.filter((text) => text === '?')).toHaveLength(garbage)
      const events = texts.filter((text) => text !== '?')
      expect([...events].sort()).toEqual([...first.keys()].sort())
      for (const partition of inbox.partitions.keys()) {
        const offsets = events
          .map((text) => first.get(text))
          .flatMap((at) => (at?.partition === partition ? [at.offset] : []))
        expect(offsets).toEqual([...offsets].sort((one, other) => one - other))
      }
      for (const { target, value } of inbox.written)
        expect(target.topic).toBe(
          value.includes('too large') || value.equals(Buffer.from('?')) ? 'dead' : 'events',
        )
      expect([...acknowledged].sort()).toEqual([...new Set(accepted)].sort())
    }),
    { numRuns: 200 },
  )
}, 60_000)
