import { readFileSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startKafkaCluster } from '../helpers/kafka/cluster.js'
import { describeKafka } from '../helpers/kafka/real-kafka.js'
import { createTopic } from '../helpers/kafka/topics.js'
import { deploy, eventText } from '../helpers/processes/deployment.js'

describeKafka('an instance with an inbox', () => {
  test('exits after its shutdown timeout, although the group that it would leave does not respond', async () => {
    const kafka = await startKafkaCluster()
    onTestFinished(() => kafka.stop())
    const deployment = await deploy(kafka.bootstrap, { env: { HEADGATE_SHUTDOWN_TIMEOUT: '2s' } })
    await deployment.end('SIGTERM')
    const inbox = `${deployment.prefix}.inbox`
    await createTopic(kafka.bootstrap, inbox, { partitions: 3 })
    const text = readFileSync(deployment.configFile, 'utf8')
    writeFileSync(
      deployment.configFile,
      text.replace('"source": {', `"inbox": { "topic": "${inbox}" }, "source": {`),
    )
    await deployment.start()
    await deployment.post(eventText('a', '{}'))
    await vi.waitFor(() => expect(deployment.cxone.acknowledged.get('a')).toBe(1), { timeout: 30_000 })
    const frozen = kafka.brokers[0] as (typeof kafka.brokers)[number]
    frozen.pause()
    onTestFinished(() => frozen.resume())
    // Node.js would wait for the thread that leaves the group, and that one for an event of Node.js.
    deployment.headgate.kill('SIGTERM')
    expect(await deployment.headgate.exited).toEqual({ code: null, signal: 'SIGKILL' })
    expect(deployment.headgate.lines.at(-1)).toContain('Headgate ends itself by SIGKILL')
  }, 120_000)
})
