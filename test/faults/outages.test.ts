/**
 * One broker that is down, frozen, or whose responses get lost.
 *
 * | case | test |
 * |---|---|
 * | 1 | brokers that are down, at start or later: not ready, 503 with Retry-After, and events are taken once they are back |
 * | 4 | a frozen broker: 503 in bounded memory, no acknowledgement, and no second record afterwards |
 * | 5 | a report that is lost after the record was persisted: the resend gets the place of the one record |
 * | 6 | a full producer queue: 503, and no event is dropped |
 * | 7 | kill -9 before the report: no 2xx was sent, and the resend gets the place of the one record |
 * | 10 | SIGTERM with Kafka away: exits at the deadline, what was not sent is never acknowledged |
 */
import { expect, onTestFinished, test } from 'vitest'
import { readTopics } from '../../src/sandbox/reader.js'
import { scrape } from '../../src/sandbox/reconcile.js'
import { freePorts } from '../helpers/free-ports.js'
import { type KafkaCluster, startKafkaCluster } from '../helpers/kafka/cluster.js'
import { KafkaProxy } from '../helpers/kafka/proxy.js'
import { describeKafka } from '../helpers/kafka/real-kafka.js'
import { sharedByTests } from '../helpers/lasting.js'
import { deploy, eventText, type WebhookResponse } from '../helpers/processes/deployment.js'
import { expectOnceAndAcknowledged } from './invariant.js'

const LATER = { timeout: 60_000, interval: 100 }
const IMPATIENT = (text: string) => text.replace('"eventId"', '"responseTimeout": "1s", "eventId"')
const properties = (json: string) => (text: string) =>
  IMPATIENT(text).replace('"properties": {}', `"properties": ${json}`)
const idsOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `id-${n}`)

describeKafka('what Headgate promises while Kafka is away', () => {
  const kafka = sharedByTests(async (atEnd) => {
    const [proxyPort = 0] = await freePorts(1)
    const cluster = await startKafkaCluster({
      listeners: { PROXIED: { protocol: 'PLAINTEXT', advertisedPort: proxyPort } },
    })
    atEnd(() => cluster.stop())
    const target = Number(cluster.addresses['PROXIED']?.split(':')[1])
    const proxy = await KafkaProxy.start(proxyPort, target)
    atEnd(() => proxy.close())
    return { cluster, proxy }
  })

  test('case 1: brokers that are down, at start or later: not ready, 503 with Retry-After, and events are taken once they are back', async () => {
    const { cluster } = kafka()
    const deployment = await deploy(cluster.bootstrap)
    const { post, ready } = deployment
    const known = () => post(eventText('known', '{}'))
    expect(await known()).toMatchObject({ body: { outcome: 'delivered' } })
    const expectRefused = async () => {
      await expect.poll(async () => (await ready()).status, LATER).toBe(503)
      expect((await ready()).reasons.join()).toMatch(/Kafka/)
      const refused = await post(eventText('down', '{}'))
      expect(refused).toMatchObject({ status: 503 })
      expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
      // A topic that cannot be asked may have been replaced: without it, nothing is called a duplicate.
      expect(await known()).toMatchObject({ status: 503 })
    }
    await brokerOf(cluster).kill()
    await expectRefused()
    await deployment.end('SIGKILL')
    await deployment.start('listening')
    await expectRefused()

    await brokerOf(cluster).start()
    await expect.poll(async () => (await ready()).status, LATER).toBe(200)
    expect(await post(eventText('down', '{}'))).toMatchObject({ status: 200, body: { outcome: 'delivered' } })
    expect(await known()).toMatchObject({ status: 200, body: { outcome: 'duplicate' } })
    await expectOnceAndAcknowledged(deployment, ['known', 'down'])
  })

  test('case 4: a frozen broker: 503 in bounded memory, no acknowledgement, and no second record afterwards', async () => {
    const { cluster } = kafka()
    // Requests time out several times within this freeze, as they do within a minute with the defaults.
    const config = properties('{ "socket.timeout.ms": 2000, "request.timeout.ms": 1500 }')
    const deployment = await deploy(cluster.bootstrap, { config })
    const { post, ready, cxone, headgate } = deployment
    const memory = async () => (await scrape(headgate.admin)).sum('process_resident_memory_bytes')
    await post(eventText('before', '{}'))
    await expect.poll(() => cxone.acknowledged.size).toBe(1)

    freeze(cluster)
    const before = await memory()
    const ids = idsOf(50)
    const inFlight = await postAll(post, ids)
    expect(new Set(inFlight.map(({ status }) => status))).toEqual(new Set([503]))
    expect(inFlight.map(({ body }) => body['code'])).toContain('HG_INTAKE_TIMEOUT')
    await expect.poll(async () => (await ready()).status, LATER).toBe(503)
    // 100 MB of events: kept, they could not be overlooked.
    const filler = `{"filler":"${'x'.repeat(500_000)}"}`
    for (let round = 0; round < 10; round++) {
      const flood = await Promise.all(idsOf(20).map((id) => post(eventText(`${round}-${id}`, filler))))
      expect(new Set(flood.map(({ status }) => status))).toEqual(new Set([503]))
      for (const { headers } of flood) expect(headers.get('retry-after')).toMatch(/^\d+$/)
    }
    expect((await memory()) - before).toBeLessThan(80_000_000)
    expect([...cxone.acknowledged.keys()]).toEqual(['before'])

    brokerOf(cluster).resume()
    await resend(post, ids)
    await expectOnceAndAcknowledged(deployment, ['before', ...ids])
  })

  test('case 5: a report that is lost after the record was persisted: the resend gets the place of the one record', async () => {
    const { cluster, proxy } = kafka()
    const config = properties('{ "message.timeout.ms": 3000, "request.timeout.ms": 1500 }')
    const brokers = `127.0.0.1:${proxy.port}`
    const deployment = await deploy(cluster.bootstrap, { brokers, config })
    const { post, cxone } = deployment
    const { place, answered } = await persistedWithoutReport(cluster, proxy, deployment, 'a')
    await expect
      .poll(() => deployment.headgate.lines.join('\n'), LATER)
      .toMatch(/message\.timeout\.ms|given up/)
    expect((await answered)?.status).toBe(503)
    expect(cxone.acknowledged.size).toBe(0)

    proxy.heal()
    await resend(post, ['a'])
    const { body } = await post(eventText('a', '{}'))
    expect(body).toMatchObject({ outcome: 'duplicate', ...place })
    await expectOnceAndAcknowledged(deployment, ['a'])
  })

  test('case 6: a full producer queue: 503, and no event is dropped', async () => {
    const { cluster } = kafka()
    const config = properties('{ "queue.buffering.max.messages": 20 }')
    const deployment = await deploy(cluster.bootstrap, { config })
    const { post, cxone } = deployment
    freeze(cluster)
    const ids = idsOf(40)
    const responses = await postAll(post, ids)
    const codes = responses.map(({ status, body }) => `${status} ${body['code']}`).toSorted()
    expect(codes).toEqual([
      ...Array(20).fill('503 HG_INTAKE_TIMEOUT'),
      ...Array(20).fill('503 HG_KAFKA_QUEUE_FULL'),
    ])
    for (const { headers } of responses) expect(headers.get('retry-after')).toMatch(/^\d+$/)
    expect(cxone.acknowledged.size).toBe(0)

    brokerOf(cluster).resume()
    await resend(post, ids)
    await expectOnceAndAcknowledged(deployment, ids)
  })

  test('case 7: kill -9 before the report: no 2xx was sent, and the resend gets the place of the one record', async () => {
    const { cluster, proxy } = kafka()
    const deployment = await deploy(cluster.bootstrap, { brokers: `127.0.0.1:${proxy.port}` })
    const { place, answered } = await persistedWithoutReport(cluster, proxy, deployment, 'a')
    await deployment.end('SIGKILL')
    expect((await answered)?.status).not.toBe(200)
    expect(deployment.cxone.acknowledged.size).toBe(0)

    proxy.heal()
    await deployment.start()
    const again = await deployment.post(eventText('a', '{}'))
    expect(again).toMatchObject({ status: 200, body: { outcome: 'duplicate', ...place } })
    await expectOnceAndAcknowledged(deployment, ['a'])
  })

  test('case 10: SIGTERM with Kafka away: exits at the deadline, and an event that was not sent is never acknowledged', async () => {
    const { cluster } = kafka()
    const deployment = await deploy(cluster.bootstrap, { env: { HEADGATE_SHUTDOWN_TIMEOUT: '2s' } })
    const { post, headgate, cxone } = deployment
    freeze(cluster)
    const response = post(eventText('stuck', '{}')).catch(() => undefined)
    await expect.poll(async () => (await scrape(headgate.admin)).sum('headgate_inflight_events')).toBe(1)
    headgate.kill('SIGTERM')
    expect(await headgate.exited).toMatchObject({ code: 1 })
    expect((await response)?.status).not.toBe(200)
    expect(cxone.acknowledged.size).toBe(0)
    expect(headgate.lines.join('\n')).toContain('stopped with 1 requests in flight')

    brokerOf(cluster).resume()
    await deployment.start('listening')
    await resend(post, ['stuck'])
    await expectOnceAndAcknowledged(deployment, ['stuck'])
  })
})

type Post = (body: string) => Promise<WebhookResponse>

function brokerOf({ brokers: [broker] }: KafkaCluster) {
  if (broker === undefined) throw new Error('The cluster has no broker.')
  return broker
}

/** Whatever becomes of the test, the next one finds the broker awake. */
function freeze(cluster: KafkaCluster): void {
  brokerOf(cluster).pause()
  onTestFinished(() => brokerOf(cluster).resume())
}

const postAll = (post: Post, ids: readonly string[]): Promise<WebhookResponse[]> =>
  Promise.all(ids.map((id) => post(eventText(id, '{}'))))

/** As a sender does: until each of them is answered 200. */
async function resend(post: Post, ids: readonly string[]): Promise<void> {
  await Promise.all(
    ids.map((id) => expect.poll(async () => (await post(eventText(id, '{}'))).status, LATER).toBe(200)),
  )
}

/** Posts an event whose record gets to Kafka, while Headgate cannot hear so: where the record is, and the response. */
async function persistedWithoutReport(
  { bootstrap }: KafkaCluster,
  proxy: KafkaProxy,
  { post, prefix }: { readonly post: Post; readonly prefix: string },
  id: string,
) {
  proxy.loseResponses()
  const answered = post(eventText(id, '{}')).catch(() => undefined)
  onTestFinished(() => proxy.heal())
  const topic = `${prefix}.default`
  await expect.poll(async () => (await readTopics(bootstrap, [topic])).length, LATER).toBe(1)
  const [record] = await readTopics(bootstrap, [topic])
  return { answered, place: { topic, partition: record?.partition, offset: record?.offset } }
}
