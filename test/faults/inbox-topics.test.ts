/**
 * Topics and records of instances that share an inbox, while Kafka is well. The reader has `isolation.level=read_committed`.
 *
 * | case | test |
 * |---|---|
 * | 33 | a target topic is deleted and made again |
 * | 34 | the inbox gets more partitions (also test/kafka/inbox.test.ts) |
 * | 35 | two instances have different configs |
 * | 36 | a record too large within a batch |
 * | 37 | records of the inbox that cannot be read |
 */
import { expect, test } from 'vitest'
import { HEADER } from '../../src/ledger/record-headers.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { startSink } from '../helpers/kafka/sink.js'
import { kafkaTool } from '../helpers/kafka/tool.js'
import { createTopic, deleteTopic, growTopic } from '../helpers/kafka/topics.js'
import { eventText } from '../helpers/processes/deployment.js'
import { type Instances, startInstances } from '../helpers/processes/instances.js'
import { startSenders } from '../helpers/processes/resending-senders.js'
import { expectOnceOfInstances } from './invariant.js'

const LATER = { timeout: 60_000, interval: 200 }

async function postAll({ post }: Instances, ids: readonly string[], payload = '{}'): Promise<void> {
  for (const id of ids) expect((await post(eventText(id, payload))).status).toBe(200)
}

const idsOf = (count: number, prefix = 'event') => Array.from({ length: count }, (_, n) => `${prefix}-${n}`)

const configure = (topic: string, ...change: string[]) =>
  kafkaTool(
    ...([sharedKafka(), 'kafka.admin.ConfigCommand', '--alter', '--entity-type', 'topics'] as const),
    ...['--entity-name', topic, ...change],
  )

describeKafka('instances with an inbox', () => {
  test('case 33: deliver to a target that was deleted and made again, and take events all the time', async () => {
    const instances = await startInstances(sharedKafka(), 2)
    const { prefix, records } = instances
    await postAll(instances, idsOf(5, 'old'))
    await expect.poll(async () => (await records()).length, LATER).toBe(5)
    await deleteTopic(sharedKafka(), `${prefix}.default`)
    await postAll(instances, idsOf(5, 'meanwhile'))
    await createTopic(sharedKafka(), `${prefix}.default`, { partitions: 3 })
    await postAll(instances, idsOf(5, 'new'))
    await expectOnceOfInstances(instances, new Set([...idsOf(5, 'meanwhile'), ...idsOf(5, 'new')]))
  }, 180_000)

  test('case 34: recognise redeliveries after the inbox got more partitions, also those that start later', async () => {
    const instances = await startInstances(sharedKafka(), 1)
    await postAll(instances, idsOf(20))
    await growTopic(sharedKafka(), instances.inbox, 16)
    await instances.start()
    await postAll(instances, [...idsOf(20), ...idsOf(20, 'new'), ...idsOf(20, 'new')])
    await expectOnceOfInstances(instances, new Set([...idsOf(20), ...idsOf(20, 'new')]))
    expect(instances.running.map(({ lines }) => lines.join()).join()).toContain('more partitions than the 6')
  }, 180_000)

  test('case 35: with two configs write each event once, as the one decided that accepted it first', async () => {
    const instances = await startInstances(sharedKafka(), 1)
    await instances.start({ config: (text) => text.replace(/("otherwise": .*"partition": )2/, '$11') })
    const ids = idsOf(40)
    await postAll(instances, [...ids, ...ids, ...ids])
    await expectOnceOfInstances(instances, new Set(ids))
    const records = await instances.records()
    expect(new Set(records.map(({ partition }) => partition))).toEqual(new Set([1, 2]))
    expect(new Set(records.map(({ headers }) => headers['headgate-revision'])).size).toBe(2)
  }, 180_000)

  test('case 36: make a dead letter of a record that is too large for its topic, and deliver the others', async () => {
    const instances = await startInstances(sharedKafka(), 1)
    await configure(`${instances.prefix}.default`, '--add-config', 'max.message.bytes=2000')
    const senders = startSenders(instances, 8)
    await postAll(instances, idsOf(3, 'large'), `{"text":"${'x'.repeat(5000)}"}`)
    await expect.poll(() => senders.answered.size, LATER).toBeGreaterThan(100)
    await senders.finish()
    await expectOnceOfInstances(instances, new Set([...senders.answered, ...idsOf(3, 'large')]))
    const letters = (await instances.records()).filter(({ topic }) => topic === `${instances.prefix}.dlq`)
    expect(letters.map(({ headers }) => headers['headgate-event-id']).toSorted()).toEqual(idsOf(3, 'large'))
  }, 180_000)

  test('case 37: make dead letters of records that they cannot read, and are held up by none', async () => {
    const instances = await startInstances(sharedKafka(), 1)
    const { inbox, prefix, records, cxone } = instances
    const { sink } = await startSink(sharedKafka(), [{ topic: inbox }])
    for (let partition = 0; partition < 6; partition++)
      for (const header of [undefined, '{"version":999,"id":"later"}', '{"version":1}', 'garbage'])
        await sink.send({
          target: { topic: inbox, partition },
          key: Buffer.from('poison'),
          value: Buffer.from('poison'),
          headers: header === undefined ? [] : [{ name: HEADER.inbox, value: header }],
        })
    await postAll(instances, idsOf(30))
    await expect.poll(async () => (await records()).length, LATER).toBe(54)
    const letters = (await records()).filter(({ topic }) => topic === `${prefix}.dlq`)
    expect(letters.map(({ value }) => value.toString())).toEqual(Array(24).fill('poison'))
    await expect.poll(() => [...cxone.acknowledged.keys()].toSorted(), LATER).toEqual(idsOf(30).toSorted())
  }, 180_000)
})
