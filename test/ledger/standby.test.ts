import { expect, test } from 'vitest'
import type { InstanceGroup, InstanceState } from '../../src/contract/index.js'
import { memoryLog } from '../helpers/kafka/memory-log.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger, TERMS } from './setup.js'

const SINCE = '2026-01-01T00:00:00.000Z'
const OTHER = { host: 'pod-b', pid: 7, since: SINCE }

/** Says when this instance is active. */
class TestInstances implements InstanceGroup {
  isJoined = false
  isDecided = true
  left: boolean | undefined
  #isActive = false
  #stoodBy = false
  #onLost = (): void => {}
  #waiting: (() => void)[] = []

  join(_id: string, onLost: () => void): void {
    this.isJoined = true
    this.#onLost = onLost
  }

  async active(): Promise<boolean> {
    while (!this.#isActive && this.left === undefined) await this.#changed()
    return this.#stoodBy
  }

  isActive(): boolean {
    return this.#isActive
  }

  reason(): string {
    return 'Another instance is active.'
  }

  state(): InstanceState {
    if (this.#isActive) return { kind: 'active', since: SINCE }
    return this.isDecided ? { kind: 'standby', active: OTHER } : { kind: 'undecided' }
  }

  async retire(): Promise<void> {
    this.isJoined = false
    while (this.#isActive) await this.#changed()
  }

  async leave(toSuccessor: boolean): Promise<void> {
    this.isJoined = false
    this.#isActive = false
    this.left = toSuccessor
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  activate(): void {
    this.#isActive = true
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  /** `noticed`: the timers of the process ran since. */
  displace(noticed = true): void {
    this.#isActive = false
    this.#stoodBy = true
    for (const resolve of this.#waiting.splice(0)) resolve()
    if (noticed) this.#onLost()
  }
}

const standby = async (kafka = memoryLog()) => {
  const instances = new TestInstances()
  const opened = await openLedger({ kafka, instances, waitUntilReady: false })
  return { ...opened, instances, kafka }
}

const REFUSED = expect.objectContaining({
  kind: 'unavailable',
  error: expect.objectContaining({ code: 'HG_LEDGER_STANDBY', message: 'Another instance is active.' }),
})

test('a standby takes no event and says why, and takes over what the other has written', async () => {
  const kafka = memoryLog()
  const first = await openLedger({ kafka })
  const { ledger, take, instances } = await standby(kafka)
  expect(ledger.notReady()).toEqual(['Another instance is active.'])
  expect(await take(eventOf('a'))).toEqual(REFUSED)
  // After the standby has started.
  expect(await first.take(eventOf('a'))).toMatchObject({ kind: 'delivered' })

  instances.activate()
  await ledger.ready()
  expect(ledger.notReady()).toEqual([])
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'duplicate', receipt: { offset: 0 } })
  expect(await take(eventOf('b'))).toMatchObject({ kind: 'delivered', receipt: { offset: 1 } })
})

test('operators see which instance is active, and why it is not this one', async () => {
  const { ledger, instances } = await standby()
  const state = { kind: 'standby', active: OTHER }
  const reason = 'Another instance is active.'
  expect(await ledger.instances()).toEqual({ kind: 'one-active', state, reason })
  instances.activate()
  expect(await ledger.instances()).toEqual({ kind: 'one-active', state: { kind: 'active', since: SINCE } })
  const { ledger: alone } = await openLedger({})
  expect(await alone.instances()).toEqual({ kind: 'one-active', state: { kind: 'unguarded' } })
})

test('while it is not known which instance is active, no other one is named', async () => {
  const { take, instances } = await standby()
  instances.isDecided = false
  expect(await take(eventOf('a'))).toMatchObject({
    kind: 'unavailable',
    error: { code: 'HG_LEDGER_UNDECIDED', status: 503 },
  })
})

test('an instance that was frozen refuses the first event after that, before any timer has run', async () => {
  const { ledger, take, instances, kafka } = await standby()
  instances.activate()
  await ledger.ready()
  instances.displace(false)
  expect(await take(eventOf('a'))).toEqual(REFUSED)
  expect(kafka.records).toEqual([])
})

test('an instance that was displaced cancels what it has in flight, and reads the log when it is active again', async () => {
  const { ledger, take, instances, kafka } = await standby()
  instances.activate()
  await ledger.ready()
  await take(eventOf('a'))
  instances.displace()
  await expect.poll(() => kafka.fences).toBe(1)
  const other = await openLedger({ kafka })
  await other.take(eventOf('b'))

  instances.activate()
  await ledger.ready()
  for (const id of ['a', 'b']) expect(await take(eventOf(id))).toMatchObject({ kind: 'duplicate' })
  expect(kafka.records).toHaveLength(2)
})

test('a stop gives the place away, unless a process takes over the same state', async () => {
  const { ledger, instances } = await standby()
  await ledger.stop()
  expect(instances.left).toBe(false)
  const next = await standby()
  await next.ledger.stop(true)
  expect(next.instances.left).toBe(true)
})

test('a process comes back under the id of its state directory', async () => {
  const ids: string[] = []
  const recording = () => Object.assign(new TestInstances(), { join: (id: string) => void ids.push(id) })
  const first = await openLedger({ instances: recording(), waitUntilReady: false })
  await first.stop()
  const { directory } = first
  await openLedger({ directory, instances: recording(), waitUntilReady: false })
  await openLedger({ instances: recording(), waitUntilReady: false })
  expect(ids[0]).toBe(ids[1])
  expect(ids[2]).not.toBe(ids[0])
})

/** As a reload does with a changed sink of the same cluster. */
function replaceSink({ ledger, kafka }: Awaited<ReturnType<typeof standby>>): TestInstances {
  const instances = new TestInstances()
  ledger.change({ ...TERMS, log: kafka, instances }, undefined)
  return instances
}

test('the client of another sink takes the place, and the one before is active until it has it', async () => {
  const opened = await standby()
  const { ledger, take, instances } = opened
  instances.activate()
  await ledger.ready()
  const next = replaceSink(opened)
  // Two members with one id would be taken for copies of a process.
  expect([instances.isJoined, next.isJoined]).toEqual([false, true])
  expect(await take(eventOf('a'))).toMatchObject({ kind: 'delivered' })

  next.activate()
  await expect.poll(() => instances.left).toBe(true)
  expect(await take(eventOf('b'))).toMatchObject({ kind: 'delivered' })
})

test('of several sinks that follow each other, only the last is left among the instances', async () => {
  const opened = await standby()
  opened.instances.activate()
  await opened.ledger.ready()
  const superseded = [replaceSink(opened), replaceSink(opened)]
  const last = replaceSink(opened)
  expect(superseded.map(({ left }) => left)).toEqual([true, true])
  expect(last).toMatchObject({ isJoined: true, left: undefined })
  last.activate()
  await expect.poll(() => opened.instances.left).toBe(true)
  expect(await opened.take(eventOf('a'))).toMatchObject({ kind: 'delivered' })
})

test('a standby whose sink is replaced takes over in its new place', async () => {
  const kafka = memoryLog()
  const first = await openLedger({ kafka })
  const opened = await standby(kafka)
  const next = replaceSink(opened)
  await expect.poll(() => opened.instances.left).toBe(true)
  await first.take(eventOf('a'))
  next.activate()
  await opened.ledger.ready()
  expect(await opened.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
})

test('if the session ends before the new place is there, the ledger reads the log before it takes events again', async () => {
  const opened = await standby()
  opened.instances.activate()
  await opened.ledger.ready()
  const next = replaceSink(opened)
  opened.instances.displace()
  const other = await openLedger({ kafka: opened.kafka })
  await other.take(eventOf('a'))
  expect(await opened.take(eventOf('a'))).toEqual(REFUSED)
  next.activate()
  await opened.ledger.ready()
  expect(await opened.take(eventOf('a'))).toMatchObject({ kind: 'duplicate' })
})

test('a stop during the change leaves both places', async () => {
  const opened = await standby()
  const next = replaceSink(opened)
  await opened.ledger.stop()
  expect([opened.instances.left, next.left]).not.toContain(undefined)
})
