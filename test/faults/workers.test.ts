/**
 * Headgate with workers: those are ended, or the primary process is, beside a Kafka that is well.
 *
 * | case | test |
 * |---|---|
 * | 26 | kill -9 of workers and of the primary process under resending senders loses nothing and writes nothing twice |
 * | 43 | the same with an inbox, where each worker has the pipeline whole |
 */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { HeadgateProcess } from '../../src/sandbox/headgate-process.js'
import { scrape } from '../../src/sandbox/reconcile.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { deploy } from '../helpers/processes/deployment.js'
import { startInstances } from '../helpers/processes/instances.js'
import { startSenders } from '../helpers/processes/resending-senders.js'
import { workerPids } from '../helpers/processes/worker-pids.js'
import { expectOnceAndAcknowledged, expectOnceOfInstances } from './invariant.js'

const LATER = { timeout: 30_000 }
const WORKERS = 2

describeKafka('what Headgate promises with workers', () => {
  test('case 26: kill -9 of workers and of the primary process under resending senders loses nothing and writes nothing twice', async () => {
    const deployment = await deploy(sharedKafka(), { env: { HEADGATE_WORKERS: String(WORKERS) } })
    const senders = startSenders(deployment)
    const someMore = async () => {
      const before = senders.answered.size
      await expect.poll(() => senders.answered.size, LATER).toBeGreaterThan(before + 150)
    }
    for (let round = 0; round < 2; round++) {
      await someMore()
      const { headgate } = deployment
      const [victim = 0] = workerPids(headgate.pid)
      process.kill(victim, 'SIGKILL')
      await expect
        .poll(async () => (await scrape(headgate.admin)).sum('headgate_worker_restarts_total'), LATER)
        .toBe(1)
      await someMore()
      await deployment.end('SIGKILL')
      await deployment.start()
    }
    await someMore()
    await senders.finish()
    await expectOnceAndAcknowledged(deployment, senders.answered)
    expect(await deployment.headgate.stop()).toEqual({ code: 0, signal: null })
  })

  test('case 43: kill -9 of workers that have the pipeline whole, and of their primary process, loses nothing and writes nothing twice', async () => {
    const env = { HEADGATE_WORKERS: String(WORKERS) }
    const instances = await startInstances(sharedKafka(), 1, { env })
    const senders = startSenders(instances)
    const someMore = async () => {
      const before = senders.answered.size
      await expect.poll(() => senders.answered.size, LATER).toBeGreaterThan(before + 150)
    }
    const [first] = instances.running as [HeadgateProcess]
    for (let kill = 1; kill <= 2; kill++) {
      await someMore()
      const [victim = 0] = workerPids(first.pid)
      process.kill(victim, 'SIGKILL')
      await expect
        .poll(async () => (await scrape(first.admin)).sum('headgate_worker_restarts_total'), LATER)
        .toBe(kill)
    }
    await someMore()
    const second = await instances.start({ env })
    const left = workerPids(first.pid)
    await instances.end(first, 'SIGKILL')
    await expect.poll(() => left.filter((pid) => existsSync(`/proc/${pid}/fd`)), LATER).toEqual([])
    await someMore()
    await senders.finish()
    await expectOnceOfInstances(instances, senders.answered)
    expect(await second.stop()).toEqual({ code: 0, signal: null })
  }, 240_000)
})
