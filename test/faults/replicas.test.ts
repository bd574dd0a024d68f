/**
 * Brokers of a cluster of three are lost, with `min.insync.replicas` 2.
 *
 * | case | test |
 * |---|---|
 * | 2 | the leader is killed under load: no event is lost, none is written twice |
 * | 3 | below min.insync.replicas: no 2xx and no acknowledgement until enough replicas are back |
 */
import { expect, test } from 'vitest'
import { startKafkaCluster } from '../helpers/kafka/cluster.js'
import { describeKafka } from '../helpers/kafka/real-kafka.js'
import { allInSync, leaderOf } from '../helpers/kafka/topics.js'
import { sharedByTests } from '../helpers/lasting.js'
import { deploy, eventText } from '../helpers/processes/deployment.js'
import { startSenders } from '../helpers/processes/resending-senders.js'
import { expectOnceAndAcknowledged } from './invariant.js'

const LATER = { timeout: 60_000, interval: 100 }
const THREE = { replication: 3 }

describeKafka('what Headgate promises while replicas are away', () => {
  const kafka = sharedByTests(async (atEnd) => {
    const cluster = await startKafkaCluster({ nodes: 3 })
    atEnd(() => cluster.stop())
    return cluster
  })

  test('case 2: the leader is killed under load: no event is lost, none is written twice', async () => {
    const cluster = kafka()
    const deployment = await deploy(cluster.bootstrap, THREE)
    const senders = startSenders(deployment)
    await expect.poll(() => senders.answered.size, LATER).toBeGreaterThan(100)

    const leader = await leaderOf(cluster.bootstrap, `${deployment.prefix}.default`, 2)
    const killed = cluster.brokers.find(({ id }) => id === leader)
    await killed?.kill()
    const before = senders.answered.size
    await expect.poll(() => senders.answered.size, LATER).toBeGreaterThan(before + 200)
    await senders.finish()
    await killed?.start()
    await expectOnceAndAcknowledged(deployment, senders.answered)
  })

  test('case 3: below min.insync.replicas: no 2xx and no acknowledgement until enough replicas are back', async () => {
    const cluster = kafka()
    await expect.poll(() => allInSync(cluster.bootstrap), LATER).toBe(true)
    const config = (text: string) =>
      text
        .replace('"eventId"', '"responseTimeout": "2s", "eventId"')
        .replace('"properties": {}', '"properties": { "request.timeout.ms": 3000 }')
    const deployment = await deploy(cluster.bootstrap, { ...THREE, config })
    const { post, ready, cxone } = deployment
    await post(eventText('before', '{}'))

    const leader = await leaderOf(cluster.bootstrap, `${deployment.prefix}.default`, 2)
    const followers = cluster.brokers.filter(({ id }) => id !== leader)
    for (const follower of followers) await follower.kill()
    // The first is with the client, and waits; later ones are not taken any more.
    expect(await post(eventText('waiting', '{}'))).toMatchObject({ status: 503 })
    await expect.poll(async () => (await ready()).status, LATER).toBe(503)
    const refused = await post(eventText('refused', '{}'))
    expect(refused).toMatchObject({ status: 503, body: { code: 'HG_KAFKA_UNAVAILABLE' } })
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect([...cxone.acknowledged.keys()]).toEqual(['before'])

    await Promise.all(followers.map((follower) => follower.start()))
    for (const id of ['waiting', 'refused']) {
      await expect.poll(async () => (await post(eventText(id, '{}'))).status, LATER).toBe(200)
    }
    await expectOnceAndAcknowledged(deployment, ['before', 'waiting', 'refused'])
  })
})
