import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { temporaryDirectory } from '../helpers/context.js'
import { describeKafka, sharedKafka, sharedTopic } from '../helpers/kafka/real-kafka.js'
import { webhookPipeline } from '../helpers/pipelines/webhook-pipeline.js'
import { usageOf } from '../helpers/processes/usage.js'

const PIPELINES = 60

describeKafka('many pipelines on one cluster', () => {
  test('share threads, descriptors and connections, although each is in a group of instances', async () => {
    const topic = await sharedTopic()
    const brokers = sharedKafka()
    const prefix = randomUUID()
    const names = Array.from({ length: PIPELINES }, (_, index) => `${prefix}-${index}`)
    const pipeline = (name: string) =>
      webhookPipeline({
        source: { path: `/${name}`, verify: { scheme: 'none' } },
        rules: [],
        otherwise: { topic, partition: 0 },
        sink: { brokers, key: '/id' },
      })
    const config = JSON.stringify({
      pipelines: Object.fromEntries(names.map((name) => [name, pipeline(name)])),
    })
    const headgate = await startHeadgate({
      config: join(temporaryDirectory({ 'plugins.config.json': config }), 'plugins.config.json'),
      env: {},
      within: 100_000,
    })
    onTestFinished(async () => void (await headgate.stop()))
    const responses = await Promise.all(
      names.map((name) =>
        fetch(new URL(`/${name}`, headgate.intake), {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ id: name }),
        }).then((response) => response.status),
      ),
    )
    expect(new Set(responses)).toEqual(new Set([200]))

    // Connections of members that have just joined, and of senders, are closing.
    const port = Number(brokers.split(':').at(-1))
    await expect
      .poll(() => usageOf(headgate.pid, port).connections, { timeout: 20_000 })
      .toBeLessThanOrEqual(12)
    const usage = usageOf(headgate.pid, port)
    console.log(`${PIPELINES} pipelines on Apache Kafka: ${JSON.stringify(usage)}`)
    expect(usage.threads).toBeLessThan(60)
    expect(usage.descriptors - PIPELINES).toBeLessThan(150)
  }, 180_000)
})
