import { promisify } from 'node:util'
import rdkafka from 'node-rdkafka'
import { onTestFinished } from 'vitest'

const TIMEOUT = 10_000

export interface MockCluster {
  readonly bootstrap: string
  /** The whole cluster is gone. */
  stop(): Promise<void>
}

/** librdkafka's mock cluster in this process, with these topics of four partitions each; gone when the test has finished. */
export async function startMockCluster(topics: readonly string[]): Promise<MockCluster> {
  // Not among the declared properties, so it comes in a value of its own.
  const config = { 'test.mock.num.brokers': 1, log_level: 0 }
  const owner = new rdkafka.Producer(config)
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= new Promise((resolve) => owner.disconnect(() => resolve()))
    return stopped
  }
  onTestFinished(stop)
  const { brokers } = await promisify(owner.connect.bind(owner))({ allTopics: false, timeout: TIMEOUT })
  for (const topic of topics)
    await promisify(owner.getMetadata.bind(owner))({ topic, allTopics: false, timeout: TIMEOUT })
  return { bootstrap: `${brokers[0]?.host}:${brokers[0]?.port}`, stop }
}
