import { expect, onTestFinished, test } from 'vitest'
import { scrape } from '../../src/sandbox/scrape.js'
import { deploy, eventText } from '../helpers/deployment.js'
import { type KafkaCluster, startKafkaCluster } from '../helpers/kafka-cluster.js'
import { createTopic } from '../helpers/kafka-topics.js'
import { describeKafka, sharedKafka } from '../helpers/real-kafka.js'

describeKafka('events on a real Kafka', () => {
  test('arrive in the partition of their route, byte for byte as they were sent', async () => {
    const { post, records, prefix } = await deploy(sharedKafka())
    const payloads = {
      high: '{ "priority" : "high",\n"id":9007199254740993, "one":1.0, "e":1e400 }',
      eu: '{"region":"eu-west","10":"ten","2":"two","text":"Z\\u00fcrich Zürich 🚀 \\/"}',
      default: '{"same":1,"same":2.00,"__proto__":{"a":-0}}',
    }
    for (const [route, payload] of Object.entries(payloads)) {
      const answer = await post(eventText(`id-${route}`, payload))
      expect(answer).toMatchObject({
        status: 200,
        body: { id: `id-${route}`, outcome: 'delivered', topic: `${prefix}.${route}` },
      })
    }
    const found = await records()
    const places = found.map(({ topic, partition, offset }) => [topic, partition, offset])
    expect(places.sort()).toEqual([
      [`${prefix}.default`, 2, 0],
      [`${prefix}.eu`, 1, 0],
      [`${prefix}.high`, 0, 0],
    ])
    for (const [route, payload] of Object.entries(payloads)) {
      const record = found.find(({ topic }) => topic === `${prefix}.${route}`)
      expect(record?.value.toString()).toBe(payload)
      expect(record?.key?.toString()).toBe(`id-${route}`)
      expect(record?.headers).toMatchObject({
        'headgate-event-id': `id-${route}`,
        'headgate-pipeline': 'cxone-data-actions',
        'event-type': 'DataActionCreated',
        'event-timestamp': '2026-01-02T03:04:05Z',
      })
    }
  })

  test('are not answered 2xx before Kafka has them, and a frozen Kafka makes no second record of a redelivery', async () => {
    const cluster = await ownCluster()
    const config = (text: string) => text.replace('"eventId"', '"answerWithin": "1s", "eventId"')
    const { post, records, cxone } = await deploy(cluster.bootstrap, { config })
    await post(eventText('before', '{}'))

    cluster.brokers[0]?.pause()
    const during = await post(eventText('during', '{}'))
    expect(during).toMatchObject({ status: 503, body: { code: 'HG_INTAKE_TIMEOUT' } })
    expect(during.headers.get('retry-after')).toMatch(/^\d+$/)
    expect([...cxone.acknowledged.keys()]).toEqual(['before'])

    cluster.brokers[0]?.resume()
    await expect
      .poll(async () => (await post(eventText('during', '{}'))).status, { timeout: 30_000 })
      .toBe(200)
    await expect.poll(() => [...cxone.acknowledged.keys()]).toEqual(['before', 'during'])
    const ids = (await records()).map(({ headers }) => headers['headgate-event-id'])
    expect(ids.sort()).toEqual(['before', 'during'])
  })

  test('are taken again once a Kafka that was down is back', async () => {
    const cluster = await ownCluster()
    const { post, ready, records } = await deploy(cluster.bootstrap)
    await cluster.brokers[0]?.kill()
    await expect.poll(async () => (await ready()).status, { timeout: 30_000 }).toBe(503)
    expect(await post(eventText('down', '{}'))).toMatchObject({
      status: 503,
      body: { code: 'HG_KAFKA_UNAVAILABLE' },
    })
    await cluster.brokers[0]?.start()
    await expect.poll(async () => (await ready()).status, { timeout: 60_000 }).toBe(200)
    expect(await post(eventText('down', '{}'))).toMatchObject({ status: 200, body: { outcome: 'delivered' } })
    expect(await records()).toHaveLength(1)
  })

  test('that are already acknowledged at CXone count as acknowledged', async () => {
    const { post, cxone, headgate } = await deploy(sharedKafka())
    cxone.script('acknowledge', [{ status: 409 }])
    await post(eventText('known', '{}'))
    const acknowledged = async () => {
      const metrics = await scrape(headgate.admin)
      return [
        metrics.sum('headgate_ack_attempts_total', { outcome: 'acknowledged' }),
        metrics.sum('headgate_ack_attempts_total', { outcome: 'retry' }),
        metrics.sum('headgate_ledger_pending'),
      ]
    }
    await expect.poll(acknowledged).toEqual([1, 0, 0])
  })

  test('are all acknowledged while tokens expire', async () => {
    const { post, cxone } = await deploy(sharedKafka(), { cxone: { tokenLifetime: 1 } })
    let posted = 0
    while (cxone.tokensIssued < 4) await post(eventText(`id-${posted++}`, '{}'))
    await expect.poll(() => cxone.acknowledged.size, { timeout: 15_000 }).toBe(posted)
  })

  test('that were answered 2xx under load survive SIGTERM: all are in Kafka and acknowledged, and the exit code is 0', async () => {
    const { post, records, headgate, cxone } = await deploy(sharedKafka())
    const answered: string[] = []
    let refused = 0
    const sender = async (name: number) => {
      for (let n = 0; ; n++) {
        const id = `${name}-${n}`
        const answer = await post(eventText(id, '{}')).catch(() => undefined)
        if (answer?.status === 200) answered.push(id)
        else if (answer === undefined) return
        else if (++refused && answer.status !== 503) throw new Error(`${id} was answered ${answer.status}`)
      }
    }
    const senders = Promise.all(Array.from({ length: 16 }, (_, name) => sender(name)))
    await expect.poll(() => answered.length, { timeout: 30_000 }).toBeGreaterThan(300)
    expect(await headgate.stop()).toEqual({ code: 0, signal: null })
    await senders
    const ids = (await records()).map(({ headers }) => headers['headgate-event-id'] ?? '')
    expect(new Set(ids).size).toBe(ids.length)
    expect(answered.filter((id) => !ids.includes(id))).toEqual([])
    expect(ids.filter((id) => !cxone.acknowledged.has(id))).toEqual([])
  })

  test('that cannot be delivered before the deadline of a stop are not acknowledged, and the exit code says so', async () => {
    const cluster = await ownCluster()
    const { post, headgate, cxone } = await deploy(cluster.bootstrap)
    cluster.brokers[0]?.pause()
    const answer = post(eventText('stuck', '{}')).catch(() => undefined)
    await expect.poll(async () => (await scrape(headgate.admin)).sum('headgate_inflight_events')).toBe(1)
    headgate.kill('SIGTERM')
    await expect.poll(() => headgate.lines.some((line) => line.includes('"event":"stopping"'))).toBe(true)
    headgate.kill('SIGTERM')
    expect(await headgate.exited).toMatchObject({ code: 1 })
    expect((await answer)?.status).not.toBe(200)
    expect(cxone.acknowledged.size).toBe(0)
    expect(headgate.lines.join('\n')).toContain('stopped with 1 events not answered')
  })

  test('larger than the topic accepts are bad data, not an outage', async () => {
    const { post, prefix, ready } = await deploy(sharedKafka(), { without: ['default'], until: 'listening' })
    await createTopic(sharedKafka(), `${prefix}.default`, {
      partitions: 3,
      config: { 'max.message.bytes': '2000' },
    })
    await expect.poll(async () => (await ready()).status, { timeout: 30_000 }).toBe(200)
    expect(await post(eventText('big', `{"text":"${'x'.repeat(5000)}"}`))).toMatchObject({
      status: 413,
      body: { code: 'HG_RECORD_TOO_LARGE', id: 'big' },
    })
    expect(await post(eventText('small', '{}'))).toMatchObject({ status: 200 })
  })

  test('wait for a topic that is missing, which is named with its place in the config', async () => {
    const { post, ready, prefix } = await deploy(sharedKafka(), { without: ['eu'], until: 'listening' })
    await expect.poll(async () => (await ready()).reasons.join()).toContain(`${prefix}.eu`)
    const { status, reasons } = await ready()
    expect(status).toBe(503)
    expect(reasons.join()).toMatch(/plugins\.config\.json:\d+:\d+/)
    const refused = await post(eventText('a', '{}'))
    expect(refused.status).toBe(503)
    await createTopic(sharedKafka(), `${prefix}.eu`, { partitions: 3 })
    await expect.poll(async () => (await ready()).status, { timeout: 30_000 }).toBe(200)
    expect(await post(eventText('a', '{}'))).toMatchObject({ status: 200 })
  })

  test('are not taken at all where the config names a partition that does not exist, and the place is named', async () => {
    const config = (text: string) => text.replace('"partition": 2', '"partition": 7')
    await expect(deploy(sharedKafka(), { config })).rejects.toThrow(
      /HG_KAFKA_PARTITION_MISSING.*partition 7.*plugins\.config\.json:\d+:\d+/,
    )
  })
})

async function ownCluster(): Promise<KafkaCluster> {
  const cluster = await startKafkaCluster()
  onTestFinished(() => cluster.stop())
  return cluster
}
