import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import type { InstanceGroup, Sink } from '../../src/contract/index.js'
import { describeKafka, sharedKafka, sharedTopic } from '../helpers/kafka/real-kafka.js'
import { startSink } from '../helpers/kafka/sink.js'

/** Longer than a session and the rebalance after it. */
const TAKEN_OVER = { timeout: 30_000, interval: 100 }

/** An instance as another process has it: with a sink of its own. */
async function startInstance(pipeline: string, id: string = randomUUID()) {
  const { sink, context } = await startSink(sharedKafka(), [{ topic: await sharedTopic() }], { pipeline })
  const instances = (sink as Required<Sink>).instances
  let lost = 0
  instances.join(id, () => lost++)
  onTestFinished(() => instances.leave(false))
  return { instances, context, lost: () => lost }
}

const never = new AbortController().signal

const reasonOf = (instances: InstanceGroup) => expect.poll(() => instances.reason(), TAKEN_OVER)

describeKafka('the instances of a pipeline without an inbox', () => {
  test('the first is active at once, and the next is a standby that names it', async () => {
    const pipeline = `test-${randomUUID()}`
    const first = await startInstance(pipeline)
    expect(await first.instances.active(never)).toBe(false)
    const second = await startInstance(pipeline)
    await reasonOf(second.instances).toMatch(
      new RegExp(
        `^Another instance of pipeline "${pipeline}" is active: process ${process.pid} on \\S+, since 20`,
      ),
    )
    expect(second.instances.isActive()).toBe(false)
    expect(first.instances.isActive()).toBe(true)
    const active = first.instances.state()
    expect(active).toEqual({ kind: 'active', since: expect.any(String) })
    expect(second.instances.state()).toMatchObject({ kind: 'standby', active: { pid: process.pid } })
    expect(second.context.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ code: 'HG_LEDGER_STANDBY' }),
      }),
    )
  })

  test('a standby is active when the other leaves, without waiting for the end of a session', async () => {
    const pipeline = `test-${randomUUID()}`
    const first = await startInstance(pipeline)
    await first.instances.active(never)
    const second = await startInstance(pipeline)
    await reasonOf(second.instances).toContain('standby')
    const before = new Date().toISOString()
    await first.instances.leave(false)
    expect(first.instances.isActive()).toBe(false)
    expect(await second.instances.active(AbortSignal.timeout(8000))).toBe(true)
    expect(second.instances.isActive()).toBe(true)
    const state = second.instances.state()
    expect(state).toEqual({ kind: 'active', since: expect.any(String) })
    // Not since it stands by.
    expect(state.kind === 'active' && state.since >= before).toBe(true)
  })

  test('an instance that is silent is replaced after its session, and never active beside the next one', async () => {
    const pipeline = `test-${randomUUID()}`
    const first = await startInstance(pipeline)
    await first.instances.active(never)
    const second = await startInstance(pipeline)
    await reasonOf(second.instances).toContain('standby')
    // It sends nothing more, and a successor with its id does not come.
    await first.instances.leave(true)
    await expect.poll(() => second.instances.isActive(), TAKEN_OVER).toBe(true)
  })

  test('a process that is started again takes its own place at once', async () => {
    const pipeline = `test-${randomUUID()}`
    const id = randomUUID()
    const first = await startInstance(pipeline, id)
    await first.instances.active(never)
    const standby = await startInstance(pipeline)
    await reasonOf(standby.instances).toContain('standby')
    await first.instances.leave(true)
    const again = await startInstance(pipeline, id)
    await again.instances.active(AbortSignal.timeout(8000))
    expect(again.instances.isActive()).toBe(true)
    expect(standby.instances.isActive()).toBe(false)
  })

  test('the client of another sink takes the place, while the one before is still active', async () => {
    const pipeline = `test-${randomUUID()}`
    const id = randomUUID()
    const first = await startInstance(pipeline, id)
    await first.instances.active(never)
    const standby = await startInstance(pipeline)
    await reasonOf(standby.instances).toContain('standby')
    void first.instances.retire()
    const next = await startInstance(pipeline, id)
    expect(await next.instances.active(AbortSignal.timeout(8000))).toBe(false)
    expect(first.instances.isActive()).toBe(true)
    await first.instances.leave(true)
    expect(next.instances.isActive()).toBe(true)
    expect(standby.instances.isActive()).toBe(false)
    const warnings = [first, next].flatMap(({ context }) =>
      context.lines.filter(({ level }) => level === 'warn'),
    )
    expect(warnings).toEqual([])
    expect([first.lost(), next.lost()]).toEqual([0, 0])
  })

  test('of two processes with copies of one state directory, only the later one stays active', async () => {
    const pipeline = `test-${randomUUID()}`
    const id = randomUUID()
    const first = await startInstance(pipeline, id)
    await first.instances.active(never)
    const copy = await startInstance(pipeline, id)
    await copy.instances.active(never)
    await expect.poll(() => first.lost(), TAKEN_OVER).toBe(1)
    await reasonOf(first.instances).toContain('standby')
    expect(copy.instances.isActive()).toBe(true)
  })
})
