/**
 * Transactions of instances that share an inbox, interrupted at each of their points. The reader has
 * `isolation.level=read_committed`.
 *
 * | case | test |
 * |---|---|
 * | 38 | the response to a commit is lost, and it was committed |
 * | 38 | the commit itself is lost, and the broker aborts the transaction |
 * | 39 | kill -9 between the offsets and the commit |
 * | 40 | kill -9 between the commit and the acknowledgements |
 * | 44 | the call that adds the offsets never returns |
 */
import { expect, onTestFinished, test } from 'vitest'
import type { HeadgateProcess } from '../../src/sandbox/headgate-process.js'
import { scrape } from '../../src/sandbox/reconcile.js'
import { freePorts } from '../helpers/free-ports.js'
import { startKafkaCluster } from '../helpers/kafka/cluster.js'
import { END_TXN, KafkaProxy } from '../helpers/kafka/proxy.js'
import { describeKafka } from '../helpers/kafka/real-kafka.js'
import { sharedByTests } from '../helpers/lasting.js'
import { eventText } from '../helpers/processes/deployment.js'
import { type Instances, startInstances } from '../helpers/processes/instances.js'
import { expectOnceOfInstances } from './invariant.js'

/** Of the commit. */
type Lost = 'requests' | 'responses'

const LATER = { timeout: 90_000, interval: 200 }

async function postAll({ post }: Instances, ids: readonly string[]): Promise<void> {
  for (const id of ids) expect((await post(eventText(id, '{}'))).status).toBe(200)
}

describeKafka('a transaction of an instance with an inbox', () => {
  const behindProxy = sharedByTests(async (atEnd) => {
    const [port = 0] = await freePorts(1)
    const cluster = await startKafkaCluster({
      listeners: { PROXIED: { protocol: 'PLAINTEXT', advertisedPort: port } },
    })
    atEnd(() => cluster.stop())
    const proxy = await KafkaProxy.start(port, Number(cluster.addresses['PROXIED']?.split(':')[1]))
    atEnd(() => proxy.close())
    return { cluster, proxy, brokers: `127.0.0.1:${port}` }
  })

  test.each<[Lost, string]>([
    ['responses', 'is committed, and its response is lost: nothing is written again'],
    ['requests', 'is not committed, because the request is lost: its events are delivered by another'],
  ])(
    'case 38: %s: %s',
    async (what) => {
      const { cluster, proxy, brokers } = behindProxy()
      onTestFinished(() => proxy.heal())
      const instances = await startInstances(cluster.bootstrap, 1, { brokers })
      await postAll(instances, ['before'])
      await expectOnceOfInstances(instances, new Set(['before']))
      const lost = proxy.lose(what, END_TXN)
      await postAll(instances, ['a', 'b'])
      await lost
      const [instance] = instances.running as [HeadgateProcess]
      await expect
        .poll(() => instance.lines.join('\n'), LATER)
        .toContain('Finding out whether it was committed')
      proxy.heal()
      await postAll(instances, ['a', 'b', 'c'])
      await expectOnceOfInstances(instances, new Set(['before', 'a', 'b', 'c']))
    },
    240_000,
  )

  /** Kills the only instance while `what` of its commit are lost, and starts another. */
  async function killDuringCommit(what: Lost): Promise<void> {
    const { cluster, proxy, brokers } = behindProxy()
    onTestFinished(() => proxy.heal())
    const instances = await startInstances(cluster.bootstrap, 1, { brokers })
    await postAll(instances, ['before'])
    await expectOnceOfInstances(instances, new Set(['before']))
    const lost = proxy.lose(what, END_TXN)
    const ids = ['a', 'b', 'c']
    await postAll(instances, ids)
    await lost
    expect(instances.cxone.acknowledged.has('a')).toBe(false)
    await instances.end(instances.running[0] as HeadgateProcess, 'SIGKILL')
    proxy.heal()
    await instances.start()
    await postAll(instances, ids)
    await expectOnceOfInstances(instances, new Set(['before', ...ids]))
  }

  test('case 39: is ended by kill -9 between the offsets and the commit: another instance delivers its events', async () => {
    await killDuringCommit('requests')
  }, 240_000)

  test('case 40: is ended by kill -9 between the commit and the acknowledgements: another instance makes them', async () => {
    await killDuringCommit('responses')
  }, 240_000)

  test('case 44: has offsets whose call never returns: it is given up, and another transaction delivers its events', async () => {
    const { cluster, proxy, brokers } = behindProxy()
    onTestFinished(() => proxy.heal())
    const instances = await startInstances(cluster.bootstrap, 1, { brokers })
    const [instance] = instances.running as [HeadgateProcess]
    const restored = async () => {
      const samples = await scrape(instance.admin)
      return samples.sum('headgate_inbox_partitions') - samples.sum('headgate_inbox_restoring_partitions')
    }
    await expect.poll(restored, LATER).toBe(6)
    // The first transaction of a producer has to find the coordinator of the group. After such a response librdkafka waits until
    // one of its connections changes, without a limit of time (2.12, rdkafka_coord.c).
    const hidden = proxy.hideGroups()
    await postAll(instances, ['a', 'b'])
    await hidden
    await expect.poll(() => instance.lines.join('\n'), LATER).toContain('has not responded for 20 s')
    proxy.heal()
    await postAll(instances, ['a', 'b', 'c'])
    await expectOnceOfInstances(instances, new Set(['a', 'b', 'c']))
  }, 240_000)
})
