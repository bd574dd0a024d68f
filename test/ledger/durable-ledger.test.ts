import { rmSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { Outcome } from '../../src/contract/index.js'
import { digestOf } from '../../src/ledger/identity.js'
import { deferred } from '../helpers/deferred.js'
import { memoryLog, unreachable } from '../helpers/kafka/memory-log.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger, TERMS, takeIds } from './setup.js'

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
  expect(takeIds(after)).toEqual(['a'])
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
  expect(takeIds(after)).toEqual(['c'])
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
  expect(takeIds(after)).toEqual(['c'])
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
      const pending = new Set(takeIds(current))
      for (const id of written) expect(pending.has(id) || acknowledged.has(id)).toBe(true)
      await current.stop()
    }),
    { numRuns: 40 },
  )
}, 60_000)

test('a new log is read before its partitions get records: events that it has are duplicates', async () => {
  const { ledger, take, kafka, due } = await openLedger({ withoutLog: true })
  kafka.append('a', digestOf(eventOf('a').body.bytes))
  await ledger.catchUp(kafka)
  ledger.change({ ...TERMS, log: kafka }, undefined)
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
  ledger.change({ ...TERMS, log: other }, undefined)
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
