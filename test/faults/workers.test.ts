/**
 * Headgate with workers: those are ended, or the primary process is, beside a Kafka that is well.
 *
 * | case | test |
 * |---|---|
 * | 26 | kill -9 of workers and of the primary process under resending senders loses nothing and writes nothing twice |
 */
import { expect, test } from 'vitest'
import { scrape } from '../../src/sandbox/reconcile.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { deploy } from '../helpers/processes/deployment.js'
import { startSenders } from '../helpers/processes/resending-senders.js'
import { workerPids } from '../helpers/processes/worker-pids.js'
import { expectOnceAndAcknowledged } from './invariant.js'

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
})
