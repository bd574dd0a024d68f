import type { Consumer } from './consumer.js'
import { logUnavailable } from './failures.js'

/** Milliseconds without use after which the connection is given up. */
const IDLE = 60_000

/** One consumer for questions and commits, opened when it is needed. */
export interface SharedConsumer {
  /** Runs `task` when no other is running. A consumer that a question failed with is not asked again. */
  use<Result>(task: (consumer: Consumer) => Promise<Result>): Promise<Result>
  /** Ends after what was asked for before; from then on `use` rejects. */
  close(): Promise<void>
}

export function createSharedConsumer(open: () => Promise<Consumer>): SharedConsumer {
  let consumer: Consumer | undefined
  let last: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | undefined
  let closed = false

  /** One at a time: librdkafka must not be asked anything while it disconnects, and commits keep their order. */
  function inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const turn = last.then(task)
    last = turn.catch(() => {})
    return turn
  }

  async function discard(): Promise<void> {
    clearTimeout(idle)
    await consumer?.close()
    consumer = undefined
  }

  return {
    use(task) {
      if (closed) return Promise.reject(logUnavailable('Headgate is shutting down'))
      return inTurn(async () => {
        clearTimeout(idle)
        consumer ??= await open()
        try {
          const result = await task(consumer)
          idle = setTimeout(() => void inTurn(discard), IDLE).unref()
          return result
        } catch (error) {
          // It may go on asking a leader of the past. But a commit that it still owes must not be overtaken.
          if (!consumer.committing()) await discard()
          throw error
        }
      })
    },
    close() {
      closed = true
      return inTurn(discard)
    },
  }
}
