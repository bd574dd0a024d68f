import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { readTopics } from '../../src/sandbox/reader.js'
import { freePorts } from '../helpers/free-ports.js'
import { startKafkaCluster } from '../helpers/kafka/cluster.js'
import { KafkaProxy } from '../helpers/kafka/proxy.js'
import { describeKafka } from '../helpers/kafka/real-kafka.js'
import { startSink } from '../helpers/kafka/sink.js'
import { createTopic } from '../helpers/kafka/topics.js'

const TARGETS = [0, 1].map((partition) => ({ topic: 'events', partition }))
/** Milliseconds. If no further request goes out, there is no further response: the test has to stop waiting. */
const LONG_ENOUGH = 2000

describeKafka('a record that Kafka has and whose response was lost', () => {
  test('is not written again when a request for another partition was lost in the same moment', async () => {
    const [port = 0] = await freePorts(1)
    const cluster = await startKafkaCluster({
      listeners: { PROXIED: { protocol: 'PLAINTEXT', advertisedPort: port } },
    })
    onTestFinished(() => cluster.stop())
    const proxy = await KafkaProxy.start(port, Number(cluster.addresses['PROXIED']?.split(':')[1]))
    onTestFinished(() => proxy.close())
    await createTopic(cluster.bootstrap, 'events', { partitions: 2 })
    const { send } = await startSink(`127.0.0.1:${port}`, TARGETS)
    const [one, other] = TARGETS as [(typeof TARGETS)[0], (typeof TARGETS)[0]]

    // Of a producer that it has not heard of, a broker takes a request with any number.
    await send(other, 'first')
    proxy.loseProduceRequests()
    const sent = [send(one, 'taken')]
    await proxy.produced(1)
    sent.push(send(other, 'lost'))
    await Promise.race([proxy.produced(2), delay(LONG_ENOUGH)])
    sent.push(send(other, 'next'))
    await Promise.race([proxy.responded, delay(LONG_ENOUGH)])
    proxy.heal()
    await Promise.all(sent)

    const records = await readTopics(cluster.bootstrap, ['events'])
    expect(records.map(({ headers }) => headers['headgate-event-id']).toSorted()).toEqual([
      'first',
      'lost',
      'next',
      'taken',
    ])
  })
})
