import { expect, test } from 'vitest'
import { digestOf, IdReuseCounter } from '../../src/ledger/identity.js'
import { MAC } from '../helpers/kafka/memory-log.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger } from './setup.js'

const first = eventOf('a', { pending_webhooks: 2 })
const second = eventOf('a', { pending_webhooks: 1 })

test('by id, the same id with other bytes is a duplicate, also in flight, after a restart, and without the state directory', async () => {
  const before = await openLedger({ by: 'id' })
  const { kafka } = before
  const outcomes = await Promise.all([before.take(first), before.take(second)])
  expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'duplicate'])
  expect(await before.take(second)).toMatchObject({ kind: 'duplicate' })
  expect(await before.take(eventOf('b', { pending_webhooks: 1 }))).toMatchObject({ kind: 'delivered' })
  expect(before.ledger.backlog().sameIdOtherBytes).toBe(1)
  await before.stop()
  const restarted = await openLedger({ directory: before.directory, kafka, by: 'id' })
  expect(await restarted.take(second)).toMatchObject({ kind: 'duplicate' })
  const withoutState = await openLedger({ kafka, by: 'id' })
  expect(await withoutState.take(second)).toMatchObject({ kind: 'duplicate' })
  expect(kafka.records).toHaveLength(2)
})

test('by id and bytes, the same id with other bytes is another event, and counted', async () => {
  const { take, ledger } = await openLedger()
  expect(await take(first)).toMatchObject({ kind: 'delivered' })
  expect(await take(second)).toMatchObject({ kind: 'delivered' })
  expect(ledger.backlog().sameIdOtherBytes).toBe(1)
})

test('redelivery.by can be changed, with a restart or while running, and pending acknowledgements stay', async () => {
  const before = await openLedger()
  const { kafka, directory } = before
  await before.take(first)
  const pending = before.due()
  if (pending !== undefined) before.ledger.acknowledged(pending)
  await before.take(eventOf('b'))
  await before.stop()
  const byId = await openLedger({ directory, kafka, by: 'id' })
  expect(await byId.take(second)).toMatchObject({ kind: 'duplicate', receipt: { offset: 0 } })
  expect(byId.ledger.backlog().count).toBe(2)
  const terms = { log: kafka, mac: MAC, window: 60_000, entries: 100, maxPending: 100, stages: 1 }
  byId.ledger.change({ ...terms, by: 'id+bytes' }, undefined)
  await byId.ledger.ready()
  expect(await byId.take(first)).toMatchObject({ kind: 'duplicate', receipt: { offset: 0 } })
  expect(await byId.take(second)).toMatchObject({ kind: 'delivered', receipt: { offset: 2 } })
  byId.ledger.change({ ...terms, by: 'id' }, undefined)
  await byId.ledger.ready()
  expect(await byId.take(eventOf('a', { pending_webhooks: 0 }))).toMatchObject({ kind: 'duplicate' })
  expect(byId.ledger.backlog().count).toBe(3)
})

test('a change of redelivery.by that is killed before all has been read is repeated by the next start', async () => {
  const before = await openLedger()
  const { kafka, directory } = before
  await before.take(first)
  await before.stop()
  const read = kafka.read
  kafka.read = () => new Promise(() => {})
  const aborted = await openLedger({ directory, kafka, by: 'id', waitUntilReady: false })
  const copy = await aborted.crash()
  kafka.read = read
  const after = await openLedger({ directory: copy, kafka, by: 'id' })
  expect(await after.take(second)).toMatchObject({ kind: 'duplicate' })
})

test('the table of ids is bounded, and tells ids apart', () => {
  const counter = new IdReuseCounter()
  const [one, two] = [digestOf(Buffer.from('1')), digestOf(Buffer.from('2'))]
  for (let n = 0; n < 200_000; n++) counter.see(`event-${n}`, n % 2 === 0 ? one : two)
  expect(counter.count).toBe(0)
  for (const digest of [one, two, two, one]) counter.see('same', digest)
  expect(counter.count).toBe(2)
})
