/**
 * Several instances of a pipeline with an inbox, beside a Kafka that is well. The reader has `isolation.level=read_committed`.
 *
 * | case | test |
 * |---|---|
 * | 27 | kill -9 of one instance after the other under resending senders |
 * | 28 | SIGTERM of one instance after the other under load: no event is refused for longer than a retry |
 * | 29 | an instance that is frozen past its session goes on, and writes nothing twice |
 */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { HeadgateProcess } from '../../src/sandbox/headgate-process.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { eventText } from '../helpers/processes/deployment.js'
import { startInstances } from '../helpers/processes/instances.js'
import { startSenders } from '../helpers/processes/resending-senders.js'
import { expectOnceOfInstances } from './invariant.js'

const LATER = { timeout: 30_000 }

describeKafka('any number of instances with an inbox', () => {
  test('an event is accepted by any instance with its place, and delivered once, however often it comes', async () => {
    const instances = await startInstances(sharedKafka(), 2)
    const ids = Array.from({ length: 20 }, (_, n) => `event-${n}`)
    for (const id of [...ids, ...ids, ...ids]) {
      const { status, body } = await instances.post(eventText(id, '{"n":1}'))
      expect(status).toBe(200)
      expect(body).toEqual({
        id,
        outcome: 'accepted',
        topic: instances.inbox,
        partition: expect.any(Number),
        offset: expect.any(Number),
      })
    }
    const bad = await instances.post('{"dataActionId":"x"}')
    expect(bad.status).toBe(422)
    await expectOnceOfInstances(instances, new Set(ids))
  })

  test('case 27: kill -9 of one instance after the other loses nothing and writes nothing twice', async () => {
    const instances = await startInstances(sharedKafka(), 3)
    const senders = startSenders(instances)
    for (let kill = 0; kill < 3; kill++) {
      const before = senders.answered.size
      await expect.poll(() => senders.answered.size, LATER).toBeGreaterThan(before + 200)
      await instances.end(instances.running[0] as HeadgateProcess, 'SIGKILL')
      await instances.start()
    }
    await senders.finish()
    await expectOnceOfInstances(instances, senders.answered)
  }, 240_000)

  test('case 28: a rolling restart hands the partitions over, and no event waits for the end of a session', async () => {
    const instances = await startInstances(sharedKafka(), 2)
    const senders = startSenders(instances)
    for (let restart = 0; restart < 3; restart++) {
      const before = senders.answered.size
      await expect.poll(() => senders.answered.size, LATER).toBeGreaterThan(before + 200)
      await instances.start()
      await instances.end(instances.running[0] as HeadgateProcess, 'SIGTERM')
    }
    await senders.finish()
    await expectOnceOfInstances(instances, senders.answered)
  }, 240_000)

  test('case 29: an instance that is frozen past its session goes on without a second record', async () => {
    const instances = await startInstances(sharedKafka(), 2)
    const senders = startSenders(instances)
    await expect.poll(() => senders.answered.size, LATER).toBeGreaterThan(300)
    const [frozen] = instances.running as [HeadgateProcess]
    frozen.kill('SIGSTOP')
    // Longer than session.timeout.ms of the group.
    await delay(25_000)
    frozen.kill('SIGCONT')
    const before = senders.answered.size
    await expect.poll(() => senders.answered.size, LATER).toBeGreaterThan(before + 300)
    await senders.finish()
    await expectOnceOfInstances(instances, senders.answered)
  }, 240_000)
})
