import { expect, onTestFinished, test } from 'vitest'
import { startKafkaCluster } from '../helpers/kafka/cluster.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { createTopic, deleteTopic } from '../helpers/kafka/topics.js'
import { type Deployment, deploy, eventText } from '../helpers/processes/deployment.js'

const LATER = { timeout: 60_000, interval: 100 }

/** Posts until the event is taken, and says how. Nothing before may have been a 2xx. */
async function outcomeOf({ post }: Deployment, id: string): Promise<unknown> {
  let response = await post(eventText(id, '{}'))
  await expect
    .poll(async () => {
      if (response.status === 503) response = await post(eventText(id, '{}'))
      return response.status
    }, LATER)
    .toBe(200)
  return response.body['outcome']
}

const idsOf = async ({ records }: Deployment): Promise<(string | undefined)[]> =>
  (await records()).map(({ headers }) => headers['headgate-event-id']).sort()

async function recreate(bootstrap: string, topic: string): Promise<void> {
  await deleteTopic(bootstrap, topic)
  await expect
    .poll(() => createTopic(bootstrap, topic, { partitions: 3 }).then(() => 'created', String), LATER)
    .toBe('created')
}

describeKafka('a log that is replaced by another one of the same name', () => {
  test('while running: a redelivery is no duplicate while the topic is missing, and is written again when it is back', async () => {
    const deployment = await deploy(sharedKafka())
    const topic = `${deployment.prefix}.default`
    for (const id of ['a', 'b', 'c']) expect(await outcomeOf(deployment, id)).toBe('delivered')
    expect(await outcomeOf(deployment, 'a')).toBe('duplicate')
    await deleteTopic(sharedKafka(), topic)
    await expect.poll(async () => (await deployment.post(eventText('a', '{}'))).status, LATER).toBe(503)
    // Nobody sent anything new: that the topic is missing shows by itself.
    await expect.poll(async () => (await deployment.ready()).status, LATER).toBe(503)
    await createTopic(sharedKafka(), topic, { partitions: 3 })
    expect(await outcomeOf(deployment, 'a')).toBe('delivered')
    expect(await outcomeOf(deployment, 'a')).toBe('duplicate')
    await expect.poll(async () => (await deployment.ready()).status, LATER).toBe(200)
    expect(await idsOf(deployment)).toEqual(['a'])
  })

  test('while running, within a moment: new events are taken, and redeliveries of old ones are written again', async () => {
    const deployment = await deploy(sharedKafka())
    const topic = `${deployment.prefix}.default`
    for (const id of ['a', 'b', 'c', 'd']) expect(await outcomeOf(deployment, id)).toBe('delivered')
    await recreate(sharedKafka(), topic)
    expect(await outcomeOf(deployment, 'e')).toBe('delivered')
    for (const id of ['a', 'b', 'c', 'd']) expect(await outcomeOf(deployment, id)).toBe('delivered')
    expect(await outcomeOf(deployment, 'e')).toBe('duplicate')
    expect(await idsOf(deployment)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('while stopped: every event is written again, and pending acknowledgements are made after a kill too', async () => {
    const retry = '"plugin": "cxone-ack", "retry": { "initial": "200ms", "max": "1s" },'
    const config = (text: string) => text.replace('"plugin": "cxone-ack",', retry)
    const deployment = await deploy(sharedKafka(), { config })
    const { cxone } = deployment
    const ids = (name: string) => Array.from({ length: 10 }, (_, n) => `${name}-${n}`)
    cxone.script('acknowledge', Array(10_000).fill({ status: 503 }))
    for (const id of ids('old')) expect(await outcomeOf(deployment, id)).toBe('delivered')
    await deployment.end('SIGTERM')
    await recreate(sharedKafka(), `${deployment.prefix}.default`)
    await deployment.start()
    for (const id of ids('new')) expect(await outcomeOf(deployment, id)).toBe('delivered')
    for (const id of ids('old').slice(0, 5)) expect(await outcomeOf(deployment, id)).toBe('delivered')
    await deployment.end('SIGKILL')
    cxone.script('acknowledge', [])
    await deployment.start()
    await expect
      .poll(() => [...cxone.acknowledged.keys()].sort(), LATER)
      .toEqual([...ids('new'), ...ids('old')].sort())
    expect(await idsOf(deployment)).toEqual([...ids('new'), ...ids('old').slice(0, 5)].sort())
  })

  test('another cluster at the same address, running or stopped, has none of the events of the one before', async () => {
    const first = await startKafkaCluster()
    onTestFinished(() => first.stop())
    const deployment = await deploy(first.bootstrap)
    for (const id of ['a', 'b']) expect(await outcomeOf(deployment, id)).toBe('delivered')
    await first.stop()
    const second = await startKafkaCluster({ ports: first.ports })
    onTestFinished(() => second.stop())
    for (const route of ['high', 'eu', 'default', 'dlq'])
      await createTopic(second.bootstrap, `${deployment.prefix}.${route}`, { partitions: 3 })
    expect(await outcomeOf(deployment, 'a')).toBe('delivered')
    expect(await outcomeOf(deployment, 'b')).toBe('delivered')
    expect(await idsOf(deployment)).toEqual(['a', 'b'])
  })
})
