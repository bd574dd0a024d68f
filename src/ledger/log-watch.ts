import { setTimeout as wait } from 'node:timers/promises'
import { asHeadgateError } from '../contract/errors.js'
import type { RecordLog } from '../contract/index.js'
import { isReplaced } from './replaced-log.js'
import type { PipelineState } from './store.js'

/** Looks, while events are taken, whether the log still is the one that the index describes. */
export interface LogWatch {
  start(): void
  stop(): void
  /**
   * Resolves when the log is still the same, by a look that began after this call; with false when it is not, or when the
   * ledger does not take events any more. Rejects when nobody can tell. Many calls at once share one look.
   */
  confirm(): Promise<boolean>
  /** Why records cannot be where they were; undefined when nothing is wrong with the log. */
  problem(): string | undefined
}

interface Options {
  /** Without one, there is nothing to look at. */
  log(): RecordLog | undefined
  state(): PipelineState
  isOpen(): boolean
  /** The log has been replaced: it has to be read. */
  replaced(): void
}

/** Milliseconds. */
const EVERY = 5000
/** Between two looks, which redeliveries share: a storm of them asks the cluster no more often. */
const PAUSE = 5

export function createLogWatch({ log, state, isOpen, replaced }: Options): LogWatch {
  let timer: NodeJS.Timeout | undefined
  let problem: string | undefined
  let looking: Promise<boolean> | undefined
  let next: Promise<boolean> | undefined
  let lookedAt = Number.NEGATIVE_INFINITY

  async function look(): Promise<boolean> {
    lookedAt = performance.now()
    const present = log()
    if (present === undefined || !isOpen()) return isOpen()
    try {
      const other = await isReplaced(present, state())
      problem = undefined
      if (other && isOpen() && present === log()) replaced()
      return !other && isOpen()
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The log')
      // That Kafka cannot be reached, the sink says by itself.
      problem = error.code === 'HG_KAFKA_TOPIC_MISSING' ? error.message : undefined
      throw error
    }
  }

  async function lookNext(): Promise<boolean> {
    await looking?.catch(() => {})
    const rest = lookedAt + PAUSE - performance.now()
    if (rest > 0) await wait(rest)
    next = undefined
    looking = look()
    return looking
  }

  const confirm = (): Promise<boolean> => {
    next ??= lookNext()
    return next
  }

  return {
    start() {
      timer = setInterval(() => void confirm().catch(() => {}), EVERY).unref()
    },
    stop: () => clearInterval(timer),
    confirm,
    problem: () => problem,
  }
}
