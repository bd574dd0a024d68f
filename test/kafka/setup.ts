import type { TestProject } from 'vitest/node'
import { kafkaClassPath } from '../helpers/kafka/class-path.js'
import { startKafkaCluster } from '../helpers/kafka/cluster.js'

/** Starts the Kafka that the tests share. Without Java or Maven they are skipped, unless HEADGATE_TEST_KAFKA=required. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  project.provide('realKafka', undefined)
  try {
    await kafkaClassPath()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (process.env['HEADGATE_TEST_KAFKA'] === 'required')
      throw new Error(`real Kafka: required, but ${reason}`)
    console.log(`real Kafka: skipped, because ${reason}`)
    return undefined
  }
  const cluster = await startKafkaCluster()
  project.provide('realKafka', cluster.bootstrap)
  return () => cluster.stop()
}
