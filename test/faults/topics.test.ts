/**
 * Topics that are not as the config says, or change while Headgate runs.
 *
 * | case | test |
 * |---|---|
 * | 12 | a partition index too high: refused at start, with its place in the config |
 * | 12 | a topic that is deleted while running, and comes back with too few partitions |
 * | 12 | a topic that is missing at start, and partitions that are added while running |
 * | 13 | a record too large for the topic, or for the client: 413 or a dead letter, once, and no retry loop |
 */
import { expect, test } from 'vitest'
import { scrape } from '../../src/sandbox/reconcile.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { createTopic, deleteTopic, growTopic } from '../helpers/kafka/topics.js'
import { type Deployment, deploy, eventText } from '../helpers/processes/deployment.js'
import { expectOnceAndAcknowledged } from './invariant.js'

const LATER = { timeout: 60_000, interval: 100 }
/** From the sink or from the ledger: either may be the first to notice that a topic is not the one it was. */
const CLOSED = /^HG_(KAFKA_UNAVAILABLE|LEDGER_NOT_READY)$/
const PLACE = /plugins\.config\.json:\d+:\d+/

describeKafka('what Headgate promises when topics are not as they should be', () => {
  test('case 12: a partition index too high is refused at start, with its place in the config', async () => {
    const config = (text: string) => text.replace('"partition": 2', '"partition": 7')
    await expect(deploy(sharedKafka(), { config })).rejects.toThrow(
      /HG_KAFKA_PARTITION_MISSING.*partition 7.*plugins\.config\.json:\d+:\d+/,
    )
  })

  test('case 12: a topic that is deleted while running, and comes back with too few partitions: 503 with the place until it is right', async () => {
    const deployment = await deploy(sharedKafka())
    const { post, prefix } = deployment
    const topic = `${prefix}.default`
    await post(eventText('before', '{}'))
    await deleteTopic(sharedKafka(), topic)
    // The client has to be told by Kafka: an event or two may find out.
    await expect.poll(() => refused(deployment, 'gone'), LATER).toMatch(CLOSED)
    await expect.poll(() => reasons(deployment), LATER).toContain(`"${topic}" does not exist`)
    expect(await reasons(deployment)).toMatch(PLACE)

    await createTopic(sharedKafka(), topic, { partitions: 1 })
    await expect.poll(() => reasons(deployment), LATER).toContain('has no partition 2')
    expect(await reasons(deployment)).toMatch(PLACE)
    expect(await refused(deployment, 'gone')).toMatch(CLOSED)
    expect(deployment.cxone.acknowledged.has('gone')).toBe(false)

    await growTopic(sharedKafka(), topic, 3)
    await expect
      .poll(async () => (await post(eventText('gone', '{}'))).body['outcome'], LATER)
      .toMatch(/delivered|duplicate/)
    // The records of the deleted topic are gone with it, as the operator who deleted it wanted.
    await expectOnceAndAcknowledged(deployment, ['gone'])
  })

  test('case 12: a topic that is missing at start is named with its place, and events are taken once it is there; partitions that are added change nothing', async () => {
    const options = { without: ['eu'], until: 'listening' } as const
    const deployment = await deploy(sharedKafka(), options)
    const { post, ready, prefix } = deployment
    await expect.poll(() => reasons(deployment), LATER).toContain(`${prefix}.eu`)
    expect(await reasons(deployment)).toMatch(PLACE)
    expect(await post(eventText('a', '{}'))).toMatchObject({ status: 503 })
    await createTopic(sharedKafka(), `${prefix}.eu`, { partitions: 3 })
    await expect.poll(async () => (await ready()).status, LATER).toBe(200)

    await growTopic(sharedKafka(), `${prefix}.default`, 5)
    expect(await post(eventText('a', '{}'))).toMatchObject({ status: 200, body: { partition: 2 } })
    expect((await ready()).status).toBe(200)
    await expectOnceAndAcknowledged(deployment, ['a'])
  })

  test('case 13: a record too large for the topic, or for the client, is 413, once, and others go on', async () => {
    const config = (text: string) =>
      text.replace('"properties": {}', '"properties": { "message.max.bytes": 20000, "batch.size": 1000 }')
    const deployment = await deploy(sharedKafka(), { config, without: ['default'], until: 'listening' })
    const { post, prefix, ready, headgate } = deployment
    const limits = { partitions: 3, config: { 'max.message.bytes': '2000' } }
    await createTopic(sharedKafka(), `${prefix}.default`, limits)
    await expect.poll(async () => (await ready()).status, LATER).toBe(200)
    for (const [id, size] of [
      ['over-the-topic', 5000],
      ['over-the-client', 50_000],
    ] as const) {
      expect(await post(eventText(id, `{"text":"${'x'.repeat(size)}"}`))).toMatchObject({
        status: 413,
        body: { code: 'HG_RECORD_TOO_LARGE', id },
      })
    }
    expect(await post(eventText('small', '{}'))).toMatchObject({ status: 200 })
    const metrics = await scrape(headgate.admin)
    expect(metrics.sum('headgate_events_total', { outcome: 'rejected' })).toBe(2)
    expect((await ready()).status).toBe(200)
    await expectOnceAndAcknowledged(deployment, ['small'])
  })

  test('case 13: a record too large for its topic is a dead letter if the config says so, with its bytes', async () => {
    const config = (text: string) =>
      text.replace('"plugin": "kafka",', '"plugin": "kafka", "onError": "dead-letter",')
    const deployment = await deploy(sharedKafka(), { config, without: ['default'], until: 'listening' })
    const { post, prefix, ready, records } = deployment
    const limits = { partitions: 3, config: { 'max.message.bytes': '2000' } }
    await createTopic(sharedKafka(), `${prefix}.default`, limits)
    await expect.poll(async () => (await ready()).status, LATER).toBe(200)
    const body = eventText('big', `{"text":"${'x'.repeat(5000)}"}`)
    expect(await post(body)).toMatchObject({ status: 202, body: { outcome: 'dead-lettered' } })
    const [letter] = await records()
    expect(letter?.topic).toBe(`${prefix}.dlq`)
    expect(letter?.value.toString()).toBe(body)
    await expectOnceAndAcknowledged(deployment, ['big'])
  })
})

const reasons = async ({ ready }: Deployment): Promise<string> => (await ready()).reasons.join('; ')

/** The code of the response, which has to be 503 and say when to come again. */
async function refused({ post }: Deployment, id: string): Promise<unknown> {
  const { status, headers, body } = await post(eventText(id, '{}'))
  expect(status).toBe(503)
  expect(headers.get('retry-after')).toMatch(/^\d+$/)
  return body['code']
}
