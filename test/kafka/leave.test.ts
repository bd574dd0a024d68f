import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { GroupConsumer } from '../../src/plugins/sink/kafka/inbox/group-consumer.js'
import { clientConfig, memberConfig } from '../../src/plugins/sink/kafka/properties.js'
import { coordinatorsOf } from '../../src/plugins/sink/kafka/protocol/coordinators.js'
import { fetchMembers } from '../../src/plugins/sink/kafka/protocol/group-requests.js'
import { describeKafka, sharedKafka, sharedTopic } from '../helpers/kafka/real-kafka.js'

const TIMES = 12
const PARTITIONS = 3

describeKafka('the group of an inbox', () => {
  // librdkafka forgets to leave if its threads run in a certain order, which they do in one or two of a hundred times.
  test('has no member as soon as its last one has left, every time', async () => {
    const topic = await sharedTopic({ partitions: PARTITIONS })
    const config = clientConfig(sharedKafka(), {}, 'test')
    const coordinators = coordinatorsOf(config, sharedKafka())
    if (typeof coordinators === 'string') throw new Error(coordinators)
    onTestFinished(() => coordinators.close())
    for (let time = 0; time < TIMES; time++) {
      const group = `leave-${randomUUID()}`
      const consumer = await GroupConsumer.join(memberConfig(config, group), topic, () => {})
      while (consumer.assigned.length < PARTITIONS) await consumer.poll(1)
      for (let polls = 0; polls < time * 4; polls++) await consumer.poll(1)
      await consumer.leave()
      expect(consumer.isIdle).toBe(true)
      expect(await coordinators.ask(group, (connection) => fetchMembers(connection, group))).toEqual([])
    }
  }, 120_000)
})
