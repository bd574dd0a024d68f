import { rmSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { Outcome } from '../../src/contract/index.js'
import { digestOf } from '../../src/ledger/identity.js'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { LedgerStore } from '../../src/ledger/store.js'
import { testContext } from '../helpers/context.js'
import { deferred } from '../helpers/deferred.js'
import { eventOf } from '../helpers/inline-plugins.js'
import { MAC, memoryLog, unreachable } from '../helpers/memory-log.js'
import { movableClocks } from '../helpers/movable-clocks.js'
import { openLedger, type TestLedger } from './setup.js'

const ids = (ledger: TestLedger, stage = 0): string[] => {
  const found: string[] = []
  for (let due = ledger.due(stage); due !== undefined; due = ledger.due(stage)) found.push(due.committed.id)
  return found
}

test('the same id with the same bytes is a duplicate of the first, with its receipt', async () => {
  const { take, kafka } = await openLedger()
  const first = await take(eventOf('a'))
  expect(await take(eventOf('a'))).toEqual({ ...first, kind: 'duplicate' })
  expect(kafka.records).toHaveLength(1)
})

test('the same id with other bytes is another event', async () => {
  const { take } = await openLedger()
  await take(eventOf('a', { n: 1 }))
  expect(await take(eventOf('a', { n: 2 }))).toMatchObject({ kind: 'delivered' })
})

test('copies in flight at once share one run', async () => {
  const { ledger, kafka } = await openLedger()
  const { promise, resolve } = deferred()
  const deliver = vi.fn((digest: string) => promise.then(() => kafka.append('a', digest)))
  const outcomes = Promise.all([ledger.once(eventOf('a'), deliver), ledger.once(eventOf('a'), deliver)])
  resolve()
  expect((await outcomes).map(({ kind }) => kind)).toEqual(['delivered', 'duplicate'])
  expect(deliver).toHaveBeenCalledOnce()
})

test('an event whose outcome is unavailable is delivered when it comes again', async () => {
  const { ledger, take } = await openLedger()
  const error = new HeadgateError('HG_KAFKA_QUEUE_FULL', 'full')
  await ledger.once(eventOf('a'), async () => ({ kind: 'unavailable', id: 'a', error }))
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'delivered' })
})

test('a duplicate makes its acknowledgement pending again, once', async () => {
  const opened = await openLedger()
  await opened.take(eventOf('a'))
  const pending = opened.due()
  if (pending) opened.ledger.acknowledged(pending)
  expect(opened.ledger.backlog().count).toBe(0)
  await opened.take(eventOf('a'))
  await opened.take(eventOf('a'))
  expect(opened.ledger.backlog().count).toBe(1)
})

test('beyond the redelivery window an event is new', async () => {
  const clocks = movableClocks()
  const { take } = await openLedger({ window: 1000 })
  await take(eventOf('a'))
  clocks.pass(1001)
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'delivered' })
})

test('indexed events and pending acknowledgements survive a restart, with the attempts that were made', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  await before.take(eventOf('b'))
  const [first, second] = [before.due(), before.due()]
  if (first) before.ledger.acknowledged(first)
  if (second) before.ledger.retry(second, Date.now())
  await before.stop()

  const after = await openLedger({ ...before, kafka: before.kafka })
  expect(await after.take(eventOf('b'))).toMatchObject({ kind: 'duplicate' })
  expect(after.due()).toMatchObject({ committed: { id: 'b' }, attempts: 1 })
  expect(after.due()).toBeUndefined()
})

test('changes that a crash has lost are restored from the log', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  const after = await openLedger({ directory: await before.crash(), kafka: before.kafka })
  expect(await after.take(eventOf('a'))).toMatchObject({ kind: 'duplicate', receipt: { offset: 0 } })
  expect(ids(after)).toEqual(['a'])
})

test('a record whose report never came is found, so that its redelivery is no second record', async () => {
  const before = await openLedger()
  void before.ledger.once(eventOf('a'), async (digest) => {
    before.kafka.append('a', digest)
    return new Promise<Outcome>(() => {})
  })
  const after = await openLedger({ directory: await before.crash(), kafka: before.kafka })
  expect(await after.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
  expect(after.kafka.records).toHaveLength(1)
})

test('a record whose report never came is also found in a partition that the config no longer writes to', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  await before.stop()
  const between = await openLedger({ directory: before.directory, kafka: before.kafka })
  void between.ledger.once(eventOf('b'), async (digest) => {
    before.kafka.append('b', digest)
    return new Promise<Outcome>(() => {})
  })
  before.kafka.isTarget = false
  const after = await openLedger({ directory: await between.crash(), kafka: before.kafka })
  expect(await after.take(eventOf('b'))).toMatchObject({ kind: 'duplicate', receipt: { offset: 1 } })
})

test('after an orderly stop the log is not read if it ends where it did, once', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  await before.stop()
  const read = vi.spyOn(before.kafka, 'read')
  const after = await openLedger({ directory: before.directory, kafka: before.kafka })
  expect(read).not.toHaveBeenCalled()
  expect(await after.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
  await openLedger({ directory: await after.crash(), kafka: before.kafka })
  expect(read).toHaveBeenCalledOnce()
})

test('after an orderly stop the log is read if it has more records than before', async () => {
  const before = await openLedger()
  await before.stop()
  before.kafka.append('a', digestOf(eventOf('a').body.bytes))
  const after = await openLedger({ directory: before.directory, kafka: before.kafka })
  expect(await after.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
})

test('after a stop with a record in flight the log is read to its very end', async () => {
  const before = await openLedger()
  void before.ledger.once(eventOf('a'), () => new Promise<Outcome>(() => {}))
  await before.stop()
  const read = vi.spyOn(before.kafka, 'read')
  await openLedger({ directory: before.directory, kafka: before.kafka })
  expect(read).toHaveBeenCalledOnce()
})

test('a recovery that is interrupted continues from there, and the offset of the group does not go back', async () => {
  const before = await openLedger()
  for (const id of ['a', 'b', 'c']) await before.take(eventOf(id))
  await before.stop()
  const { kafka } = before
  kafka.committed = 2
  rmSync(before.directory, { recursive: true })
  const starts: (number | undefined)[] = []
  const read = kafka.read.bind(kafka)
  kafka.read = async ([from], visit) => {
    starts.push(from?.offset)
    let visited = 0
    await read(from === undefined ? [] : [from], (record) => {
      if (starts.length === 1 && visited++ > 0) throw unreachable
      visit(record)
    })
  }
  const commit = vi.spyOn(kafka, 'commit')

  const after = await openLedger({ directory: before.directory, kafka })
  await vi.waitFor(() => expect(after.ledger.notReady()).toEqual([]), { timeout: 5000 })

  expect(starts).toEqual([0, 1])
  expect(ids(after)).toEqual(['c'])
  expect(await after.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
  await after.stop()
  expect(commit.mock.calls.flatMap(([positions]) => positions.map(({ offset }) => offset))).toEqual([])
})

test('a lost state directory is restored: all events in the window are indexed, and records from the offset of the group on are pending', async () => {
  const before = await openLedger()
  for (const id of ['a', 'b', 'c']) await before.take(eventOf(id))
  await before.stop()
  before.kafka.committed = 2
  rmSync(before.directory, { recursive: true })
  const after = await openLedger({ directory: before.directory, kafka: before.kafka })
  expect(ids(after)).toEqual(['c'])
  expect(await after.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
})

test('the offset of the group is that of the oldest record that is not acknowledged', async () => {
  const { take, due, ledger, kafka, stop } = await openLedger()
  for (const id of ['a', 'b', 'c']) await take(eventOf(id))
  const [, b, c] = [due(), due(), due()]
  for (const pending of [b, c]) if (pending) ledger.acknowledged(pending)
  await stop()
  expect(kafka.committed).toBe(0)
})

test('the offset of the group is the end of the log when all records are acknowledged', async () => {
  const { take, due, ledger, kafka, stop } = await openLedger()
  for (const id of ['a', 'b']) await take(eventOf(id))
  for (const pending of [due(), due()]) if (pending) ledger.acknowledged(pending)
  await stop()
  expect(kafka.committed).toBe(2)
})

test('records of other pipelines are skipped', async () => {
  const kafka = memoryLog()
  kafka.append('a', 'digest', 'payments')
  const opened = await openLedger({ kafka })
  expect(opened.ledger.backlog().count).toBe(0)
})

test('a dead letter that was replayed is pending once, as a dead letter, wherever its record is', async () => {
  const kafka = memoryLog()
  const { records } = kafka
  const replayed = (id: string) => {
    kafka.append(id, digestOf(Buffer.from(id)))
    const record = records.pop()
    if (record === undefined) throw new Error('nothing was appended')
    records.push({ ...record, headers: { ...record.headers, 'headgate-replay-of': 'dlq-0@0' } })
  }
  replayed('first')
  kafka.append('first', digestOf(Buffer.from('first')))
  kafka.append('second', digestOf(Buffer.from('second')))
  replayed('second')
  const { due } = await openLedger({ kafka })
  const pending = [due(), due(), due()].map((pending) => pending?.committed.receipt?.offset)
  expect(pending).toEqual([1, 2, undefined])
})

test('no event is taken until the log has been read, and notReady() has the reason', async () => {
  const kafka = memoryLog()
  kafka.down = unreachable
  const { ledger, take } = await openLedger({ kafka })
  expect(await take(eventOf('a'))).toMatchObject({
    kind: 'unavailable',
    error: { code: 'HG_LEDGER_NOT_READY' },
  })
  await expect.poll(() => ledger.notReady()).toEqual(['Kafka is not reachable.'])
  kafka.down = undefined
  await expect.poll(() => ledger.notReady(), { timeout: 5000 }).toEqual([])
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'delivered' })
})

test('after an uncertain outcome the sink is fenced and the log read, before the next event is taken', async () => {
  const { ledger, take, kafka } = await openLedger()
  const error = new HeadgateError('HG_KAFKA_NOT_DELIVERED', 'timed out', { uncertain: true })
  const outcome = await ledger.once(eventOf('a'), async (digest) => {
    kafka.append('a', digest)
    return { kind: 'unavailable', id: 'a', error }
  })
  expect(outcome.kind).toBe('unavailable')
  expect(await take(eventOf('a'))).toMatchObject({
    kind: 'unavailable',
    error: { code: 'HG_LEDGER_NOT_READY' },
  })
  await ledger.ready()
  expect(kafka.fences).toBe(1)
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
})

test('a record of unknown fate at a stop is read after the next start', async () => {
  const before = await openLedger()
  const { ledger, kafka, take } = before
  const confirmed = deferred<Outcome>()
  const late = ledger.once(eventOf('late'), () => confirmed.promise)
  const error = new HeadgateError('HG_KAFKA_NOT_DELIVERED', 'no report', { uncertain: true })
  await ledger.once(eventOf('a'), async (digest) => {
    kafka.append('a', digest)
    kafka.down = unreachable
    return { kind: 'unavailable', id: 'a', error }
  })
  confirmed.resolve(kafka.append('late', digestOf(eventOf('late').body.bytes)))
  expect(await late).toMatchObject({ kind: 'delivered', receipt: { offset: 1 } })
  expect(await take(eventOf('b'))).toMatchObject({ kind: 'unavailable' })
  await before.stop()
  kafka.down = undefined
  const after = await openLedger({ directory: before.directory, kafka })
  expect(await after.take(eventOf('a'))).toMatchObject({ kind: 'duplicate', receipt: { offset: 0 } })
})

test('at maxPending new events are unavailable, and redeliveries are still duplicates', async () => {
  const { take, due, ledger } = await openLedger({ maxPending: 2 })
  for (const id of ['a', 'b']) await take(eventOf(id))
  expect(await take(eventOf('c'))).toMatchObject({ kind: 'unavailable', error: { code: 'HG_LEDGER_FULL' } })
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
  const pending = due()
  if (pending) ledger.acknowledged(pending)
  expect(await take(eventOf('c'))).toMatchObject({ kind: 'delivered' })
})

test('without a post-commit stage nothing is pending, and maxPending does not apply', async () => {
  const { take, ledger } = await openLedger({ stages: 0, maxPending: 1 })
  for (const id of ['a', 'b', 'c']) expect(await take(eventOf(id))).toMatchObject({ kind: 'delivered' })
  expect(ledger.backlog().count).toBe(0)
})

test('an acknowledgement passes its stages in order and is pending until the last', async () => {
  const { take, due, ledger } = await openLedger({ stages: 2 })
  await take(eventOf('a'))
  expect(due(1)).toBeUndefined()
  const first = due(0)
  if (first) ledger.acknowledged(first)
  expect(ledger.backlog().count).toBe(1)
  const second = due(1)
  if (second) ledger.acknowledged(second)
  expect(ledger.backlog().count).toBe(0)
})

test('acknowledgements that do not fit into memory are spilled to disk, and every one of them is taken', async () => {
  const many = 45_000
  const opened = await openLedger({ maxPending: many, entries: many, withoutLog: true })
  let offset = 0
  for (let n = 0; n < many; n++) {
    const receipt = { topic: 'events', partition: 0, offset: offset++ }
    await opened.ledger.once(eventOf(String(n)), async () => ({ kind: 'delivered', id: String(n), receipt }))
  }
  const taken = new Set<string>()
  const takeAll = () => {
    for (let due = opened.due(); due !== undefined; due = opened.due()) {
      taken.add(due.committed.id)
      opened.ledger.acknowledged(due)
    }
    return taken.size
  }
  await expect.poll(takeAll, { timeout: 20_000 }).toBe(many)
  expect(opened.ledger.backlog().count).toBe(0)
}, 30_000)

test('an orderly stop spills all acknowledgements in memory, those in flight too, and the next start loads them at once', async () => {
  const before = await openLedger()
  for (const id of ['a', 'b', 'c']) await before.take(eventOf(id))
  before.due()
  await before.stop()

  const { database, close } = await openStateDirectory(before.directory, testContext().log)
  const state = await LedgerStore.open(database, 'orders', { window: 60_000, entries: 100 })
  expect(state.pending.load(true)).toEqual([])
  expect(state.pending.loadSpilled([10])).toHaveLength(3)
  state.close(true)
  await close()

  const after = await openLedger({ directory: before.directory, kafka: before.kafka })
  expect(ids(after).toSorted()).toEqual(['a', 'b', 'c'])
  expect(after.ledger.backlog().count).toBe(3)
})

test('a state directory that cannot be written closes the intake until it can', async () => {
  const { ledger, take, state, directory } = await openLedger()
  const disk = vi.spyOn(state.database, 'batch').mockRejectedValue(new Error('ENOSPC'))
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'delivered' })
  await expect.poll(() => ledger.notReady()).toEqual([`Cannot write ${directory}/ledger.mdb: ENOSPC.`])
  expect(await take(eventOf('b'))).toMatchObject({ kind: 'unavailable' })
  disk.mockRestore()
  await expect.poll(() => ledger.notReady(), { timeout: 5000 }).toEqual([])
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
})

test('an acknowledgement that failed while the disk was full is listed at once, and written later', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  const disk = vi.spyOn(before.state.database, 'batch').mockRejectedValue(new Error('ENOSPC'))
  const pending = before.due()
  if (pending) before.ledger.failed(pending, { code: 'HG_ACK_GAVE_UP', message: 'answered 404' })
  await expect.poll(() => before.ledger.notReady()).not.toEqual([])
  expect((await before.ledger.report()).failed).toMatchObject({ count: 1, first: [{ id: 'a' }] })
  disk.mockRestore()
  await before.stop()
  const after = await openLedger({ directory: before.directory, kafka: before.kafka })
  expect((await after.ledger.report()).failed).toMatchObject({ count: 1, first: [{ id: 'a' }] })
  expect(after.ledger.backlog()).toMatchObject({ count: 0, failed: 1 })
})

test('a failed acknowledgement is listed with its reason, survives a restart, and can be made pending again', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  const pending = before.due()
  if (pending) before.ledger.failed(pending, { code: 'HG_ACK_GAVE_UP', message: 'answered 404' })
  expect(before.ledger.backlog().count).toBe(0)
  await before.stop()
  const after = await openLedger({ directory: before.directory, kafka: before.kafka })
  expect(after.due()).toBeUndefined()
  expect((await after.ledger.report()).failed).toMatchObject({
    count: 1,
    first: [{ id: 'a', reason: { message: 'answered 404' } }],
  })
  expect(after.ledger.retryFailed()).toBe(1)
  expect(after.due()).toMatchObject({ committed: { id: 'a', receipt: { offset: 0 } }, attempts: 0 })
  await expect.poll(async () => (await after.ledger.report()).failed.count).toBe(0)
})

test('in any order of events, crashes included, nothing is written twice, and every record is pending until acknowledged', async () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('take' as const), id: fc.nat(12) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('acknowledge', 'retry') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('crash', 'restart', 'wipe', 'lose-report') }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const kafka = memoryLog()
      let current = await openLedger({ kafka })
      const acknowledged = new Set<string>()
      const reopen = async (end: 'stop' | 'crash', wipe = false) => {
        let { directory } = current
        if (end === 'crash') directory = await current.crash()
        await current.stop()
        if (wipe) rmSync(directory, { recursive: true })
        current = await openLedger({ kafka, directory })
      }
      for (const action of steps) {
        if ('id' in action) {
          const outcome = await current.take(eventOf(String(action.id)))
          expect(['delivered', 'duplicate']).toContain(outcome.kind)
        } else if (action.kind === 'acknowledge' || action.kind === 'retry') {
          const due = current.due()
          if (due === undefined) continue
          if (action.kind === 'retry') current.ledger.retry(due, Date.now())
          else {
            current.ledger.acknowledged(due)
            acknowledged.add(due.committed.id)
          }
        } else if (action.kind === 'lose-report') {
          const id = `lost-${kafka.records.length}`
          void current.ledger.once(eventOf(id), async (digest) => {
            kafka.append(id, digest)
            return new Promise<Outcome>(() => {})
          })
          await reopen('crash')
        } else await reopen(action.kind === 'restart' ? 'stop' : 'crash', action.kind === 'wipe')
      }
      const written = kafka.records.map(({ id }) => id)
      expect(new Set(written).size).toBe(written.length)
      const pending = new Set(ids(current))
      for (const id of written) expect(pending.has(id) || acknowledged.has(id)).toBe(true)
      await current.stop()
    }),
    { numRuns: 40 },
  )
}, 60_000)

const terms = { mac: MAC, by: 'id+bytes' as const, window: 60_000, entries: 100, maxPending: 100, stages: 1 }

test('a new log is read before its partitions get records: events that it has are duplicates', async () => {
  const { ledger, take, kafka, due } = await openLedger({ withoutLog: true })
  kafka.append('a', digestOf(eventOf('a').body.bytes))
  await ledger.catchUp(kafka)
  ledger.change({ ...terms, log: kafka }, undefined)
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'duplicate', receipt: { offset: 0 } })
  expect(kafka.records).toHaveLength(1)
  expect(due()).toMatchObject({ committed: { id: 'a' } })
})

test('a record that is read before its report comes is pending once', async () => {
  const { ledger, kafka, due } = await openLedger({ withoutLog: true })
  const { promise, resolve } = deferred()
  let outcome: Outcome | undefined
  const taken = ledger.once(eventOf('a'), async (digest) => {
    outcome = kafka.append('a', digest)
    await promise
    return outcome
  })
  const read = kafka.read.bind(kafka)
  kafka.read = async (from, visit) => {
    await read(from, visit)
    resolve()
    await taken
  }
  await ledger.catchUp(kafka)
  expect(due()).toMatchObject({ committed: { id: 'a' } })
  expect(due()).toBeUndefined()
  expect(ledger.backlog().count).toBe(1)
})

test('a log that ends before a checkpoint is another log, and refused', async () => {
  const before = await openLedger()
  for (const id of ['a', 'b']) await before.take(eventOf(id))
  await before.stop()
  const { ledger } = await openLedger({ directory: before.directory, kafka: before.kafka })
  await expect(ledger.catchUp(memoryLog())).rejects.toMatchObject({ code: 'HG_RELOAD_RESTART' })
  await ledger.catchUp(before.kafka)
})

test('a ledger that cannot reach its log at the start continues with another one', async () => {
  const kafka = memoryLog()
  kafka.down = unreachable
  const { ledger, take } = await openLedger({ kafka })
  const other = memoryLog()
  expect(ledger.canMoveTo(other)).toBe(true)
  ledger.change({ ...terms, log: other }, undefined)
  await vi.waitUntil(() => ledger.notReady().length === 0, { timeout: 10_000 })
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'delivered' })
})

test('the log cannot be replaced while only it can tell the fate of a record', async () => {
  const { ledger, kafka } = await openLedger()
  kafka.down = unreachable
  const error = new HeadgateError('HG_KAFKA_NOT_DELIVERED', 'unknown', { uncertain: true })
  await ledger.once(eventOf('a'), async () => ({ kind: 'unavailable', id: 'a', error }))
  expect(ledger.canMoveTo(memoryLog())).toBe(false)
})

test('changed limits apply at once', async () => {
  const { ledger, take, kafka } = await openLedger()
  await take(eventOf('a'))
  ledger.change({ ...terms, log: kafka, maxPending: 1 }, undefined)
  expect(await take(eventOf('b'))).toMatchObject({ error: { code: 'HG_LEDGER_FULL' } })
  ledger.change({ ...terms, log: kafka, stages: 0 }, () => Number.POSITIVE_INFINITY)
  expect(ledger.backlog().count).toBe(0)
  expect(await take(eventOf('b'))).toMatchObject({ kind: 'delivered' })
})

test('a failed acknowledgement is retried at its stage, wherever that is now; without a stage it is not made pending again', async () => {
  const { ledger, take, due, kafka, state } = await openLedger({ stages: 2 })
  for (const id of ['a', 'b']) {
    await take(eventOf(id))
    const pending = due()
    if (pending && id === 'a') ledger.failed(pending, { code: 'HG_ACK_GAVE_UP', message: '404' })
    else if (pending) {
      ledger.acknowledged(pending)
      const second = due(1)
      if (second) ledger.failed(second, { code: 'HG_ACK_GAVE_UP', message: '404' })
    }
  }
  await state.database.committed
  ledger.change({ ...terms, log: kafka, stages: 2 }, (stage) => (stage === 0 ? 1 : Number.POSITIVE_INFINITY))
  await state.database.committed
  expect(ledger.retryFailed()).toBe(2)
  expect(due(1)).toMatchObject({ committed: { id: 'a' }, stage: 1 })
  expect(due(0)).toBeUndefined()
  expect(ledger.backlog().count).toBe(1)
})

test('spilled acknowledgements move to the new stages, too', async () => {
  const { ledger, take, kafka } = await openLedger({ stages: 2, maxPending: 100_000, entries: 100_000 })
  for (let n = 0; n < 20_050; n++) await take(eventOf(`event-${n}`))
  ledger.change({ ...terms, log: kafka, stages: 3 }, (stage) => stage + 1)
  const told: number[] = []
  await vi.waitUntil(
    () => {
      for (
        let pending = ledger.take(1, Date.now());
        pending !== undefined;
        pending = ledger.take(1, Date.now())
      ) {
        told.push(pending.stage)
        ledger.acknowledged(pending)
      }
      for (
        let pending = ledger.take(2, Date.now());
        pending !== undefined;
        pending = ledger.take(2, Date.now())
      )
        ledger.acknowledged(pending)
      return ledger.backlog().count === 0
    },
    { timeout: 15_000 },
  )
  expect(told).toHaveLength(20_050)
})
