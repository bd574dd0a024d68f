import { expect, test } from 'vitest'
import { RECORD_OVERHEAD } from '../../src/plugins/sink/kafka/record.js'
import { httpWebhook } from '../../src/plugins/source/http-webhook/index.js'
import { fillDefaults } from '../helpers/context.js'
import { describeKafka, sharedKafka, sharedTopic } from '../helpers/kafka/real-kafka.js'
import { startSink } from '../helpers/kafka/sink.js'
import { kafkaTool } from '../helpers/kafka/tool.js'

const EVENTS = Array.from({ length: 600 }, (_, n) => `e-${n}`)
const VALUE = Buffer.from(JSON.stringify('x'.repeat(2000)))

describeKafka('a topic that takes only small batches', () => {
  test('gets every record that fits, sent together with others, and only once', async () => {
    const topic = await sharedTopic({ config: { 'max.message.bytes': '20000' } })
    const target = { topic, partition: 0 }
    const { send, read, context } = await startSink(sharedKafka(), [target])
    for (let from = 0; from < EVENTS.length; from += 60)
      await Promise.all(EVENTS.slice(from, from + 60).map((id) => send(target, id, VALUE)))
    expect((await read()).toSorted()).toEqual(EVENTS.toSorted())
    expect(context.lines.filter(({ level }) => level === 'warn').at(-1)).toMatchObject({
      fields: { topic, bytes: 16_384 },
    })
  })

  test('refuses the record that is too large, and no other', async () => {
    const topic = await sharedTopic({ config: { 'max.message.bytes': '20000' } })
    const target = { topic, partition: 0 }
    const { send, read } = await startSink(sharedKafka(), [target])
    const large = Buffer.from(JSON.stringify('x'.repeat(25_000)))
    const ids = EVENTS.slice(0, 60)
    const sent = await Promise.allSettled(ids.map((id, n) => send(target, id, n === 30 ? large : VALUE)))
    const refused = sent.flatMap((one, n) => (one.status === 'rejected' ? [[n, one.reason.code]] : []))
    expect(refused).toEqual([[30, 'HG_RECORD_TOO_LARGE']])
    expect((await read()).toSorted()).toEqual(ids.filter((id) => id !== 'e-30').toSorted())
  })

  test('may be made one while records are sent', async () => {
    const topic = await sharedTopic()
    const target = { topic }
    const { send, read } = await startSink(sharedKafka(), [target])
    await Promise.all(EVENTS.slice(0, 60).map((id) => send(target, id, VALUE)))
    const alter = ['--alter', '--entity-type', 'topics', '--entity-name', topic]
    await kafkaTool(
      sharedKafka(),
      'kafka.admin.ConfigCommand',
      ...alter,
      '--add-config',
      'max.message.bytes=5000',
    )
    await Promise.all(EVENTS.slice(60, 120).map((id) => send(target, id, VALUE)))
    expect((await read()).toSorted()).toEqual(EVENTS.slice(0, 120).toSorted())
  })

  test('has its compressed size counted', async () => {
    const topic = await sharedTopic({ config: { 'max.message.bytes': '20000' } })
    const target = { topic, partition: 0 }
    const properties = { 'compression.type': 'gzip' }
    const { send, read, context } = await startSink(sharedKafka(), [target], { properties })
    const ids = EVENTS.slice(0, 60)
    await Promise.all(ids.map((id) => send(target, id, VALUE)))
    expect((await read()).toSorted()).toEqual(ids.toSorted())
    expect(context.lines.filter(({ level }) => level === 'warn')).toEqual([])
  })
})

describeKafka('a compacted topic', () => {
  test('gets the records with a key, whatever was refused in their batch', async () => {
    const topic = await sharedTopic({ config: { 'cleanup.policy': 'compact' } })
    const target = { topic, partition: 0 }
    const { sink } = await startSink(sharedKafka(), [target])
    const sent = await Promise.allSettled(
      EVENTS.slice(0, 40).map((id, n) =>
        sink.send({ target, key: n === 20 ? null : Buffer.from(id), value: VALUE, headers: [] }),
      ),
    )
    const refused = sent.flatMap((one, n) => (one.status === 'rejected' ? [[n, one.reason.code]] : []))
    expect(refused).toEqual([[20, 'HG_RECORD_REFUSED']])
  })
})

describeKafka('a topic with the settings that Kafka gives it', () => {
  test('takes the largest body of the defaults, and its dead letter with the longest headers', async () => {
    const topic = await sharedTopic()
    const target = { topic, partition: 0 }
    const { sink } = await startSink(sharedKafka(), [target])
    const settings = { path: '/', eventId: '/id', verify: { scheme: 'none' } }
    const maxBody = httpWebhook.maxBody?.(fillDefaults(httpWebhook, settings)) ?? 0
    expect(maxBody).toBeGreaterThan(1_000_100)
    const value = Buffer.alloc(maxBody, 'x')
    await sink.send({ target, key: Buffer.from('k'), value, headers: [] })
    const headers = [{ name: 'violations', value: 'x'.repeat(RECORD_OVERHEAD - 200) }]
    await sink.send({ target, key: null, value, headers })
    const larger = sink.send({ target, key: null, value: Buffer.alloc(maxBody + 300, 'x'), headers })
    await expect(larger).rejects.toMatchObject({ code: 'HG_RECORD_TOO_LARGE' })
  })
})
