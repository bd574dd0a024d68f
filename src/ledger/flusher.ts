import { asHeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'

export interface Flusher {
  /** Something has changed: it is written soon, together with what changes until then. */
  wake(): void
  /** Writes what there is; resolves also where that fails. */
  now(): Promise<void>
  /** Why nothing can be written; undefined while it can. */
  problem(): string | undefined
  /** Writes what there is, for the last time. */
  stop(): Promise<void>
}

/**
 * An acknowledgement usually succeeds within this time, and then never touches the disk. A write has a few pages of the index
 * whatever there is to write: the more there is, the fewer they are for each. What a crash takes is read back from Kafka.
 */
const GATHER_MS = 500
const RETRY_MS = 1000

/** Calls `flush` a little after the first change, one call at a time, and again where it failed. */
export function createFlusher({ flush, logger }: { flush(): Promise<void>; logger: Log }): Flusher {
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let again = false
  let stopped = false
  let problem: string | undefined

  const schedule = (delay: number): void => {
    if (!stopped) timer ??= setTimeout(start, delay).unref()
  }
  const start = (): void => {
    clearTimeout(timer)
    timer = undefined
    writing = write().finally(() => {
      writing = undefined
      if (problem !== undefined) schedule(RETRY_MS)
      else if (again) schedule(GATHER_MS)
      again = false
    })
  }
  const write = async (): Promise<void> => {
    try {
      await flush()
      if (problem !== undefined) logger.info({}, 'the state directory can be written again')
      problem = undefined
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, 'Writing the state')
      if (problem === undefined) logger.error({ code }, message)
      problem = message
    }
  }

  const now = async (): Promise<void> => {
    await writing
    if (writing === undefined) start()
    await writing
  }

  return {
    wake() {
      if (writing === undefined) schedule(GATHER_MS)
      else again = true
    },
    problem: () => problem,
    now,
    async stop() {
      stopped = true
      await now()
    },
  }
}
