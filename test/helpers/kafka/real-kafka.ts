import { randomUUID } from 'node:crypto'
import { describe, inject } from 'vitest'
import { createTopic, type TopicOptions } from './topics.js'

declare module 'vitest' {
  interface ProvidedContext {
    /**
     * `host:port` of the broker that the tests share, or undefined if there is none. `test/kafka/setup.ts` sets it.
     */
    realKafka: string | undefined
  }
}

/** `describe` for tests that need a real Kafka, the shared one or one of their own; skipped if there is none. */
export const describeKafka = describe.skipIf(inject('realKafka') === undefined)

/** `host:port` of the one node that all tests share. */
export function sharedKafka(): string {
  const bootstrap = inject('realKafka')
  if (bootstrap === undefined) throw new Error('There is no real Kafka: put this test into describeKafka.')
  return bootstrap
}

/** A new topic on the shared node, whose name no other test has. */
export async function sharedTopic(options: TopicOptions = {}): Promise<string> {
  const name = `test-${randomUUID()}`
  await createTopic(sharedKafka(), name, options)
  return name
}
