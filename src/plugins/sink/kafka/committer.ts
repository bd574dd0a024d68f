import type { KafkaConsumer, LibrdKafkaError } from 'node-rdkafka'
import type { Position } from '../../../contract/index.js'
import { logUnavailable } from './failures.js'

/** Milliseconds. Longer than librdkafka itself keeps a commit for a coordinator to come (`session.timeout.ms`). */
const TIMEOUT = 8000
/** Between two looks at a commit that nobody waits for any more. */
const PAUSE = 1000

/** Commits for the group of a client, one at a time. `commitSync` would block the whole process while it waits. */
export interface Committer {
  /** Resolves when the coordinator has confirmed. */
  commit(positions: readonly Position[]): Promise<void>
  /** Librdkafka is not through with a commit, even if that was given up here. */
  committing(): boolean
  /** Resolves when it is through with it, however that takes long, and does not keep the process alive for that. */
  finished(): Promise<void>
}

/** `poll` looks for records: outcomes are handed over only to who does. */
export function createCommitter(client: KafkaConsumer, poll: () => Promise<unknown>): Committer {
  let committing = false
  let refusal: LibrdKafkaError | undefined
  client.on('offset.commit', (error) => {
    committing = false
    refusal = error
  })

  async function through(deadline: number): Promise<void> {
    while (committing) {
      if (performance.now() > deadline)
        throw logUnavailable('the coordinator of the consumer group does not answer')
      await poll()
    }
  }

  return {
    async commit(positions) {
      const deadline = performance.now() + TIMEOUT
      // An earlier one that is late must not be taken for this one, or undo it.
      await through(deadline)
      client.commit([...positions])
      committing = true
      await through(deadline)
      if (refusal) throw refusal
    },
    committing: () => committing,
    async finished() {
      while (committing) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE).unref())
        await poll().catch(() => {})
      }
    },
  }
}
