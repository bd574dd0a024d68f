import type { Log } from '../../contract/index.js'
import type { PipelineChange } from './changes.js'
import type { Transition } from './transition.js'

/** Milliseconds. A pipeline that was removed from the config continues to acknowledge for this time. */
const DRAIN_DEADLINE = 30_000

/** The pipelines, and earlier configs of pipelines, that finish their events after a reload. */
export class Drains {
  readonly #deadline: AbortSignal
  readonly #log: Log
  readonly #drains = new Set<Drain>()

  constructor(deadline: AbortSignal, log: Log) {
    this.#deadline = deadline
    this.#log = log
  }

  /** Resolves at its end. Never rejects. */
  async start(transition: Transition, change: PipelineChange): Promise<void> {
    if (change.kind === 'added') return
    const drain = new Drain(transition, change, this.#deadline, this.#log)
    this.#drains.add(drain)
    await drain.ended
    this.#drains.delete(drain)
  }

  /** A pipeline that is added again while it drains has to wait for the end of the drain: its state has one owner. */
  async removed(pipelines: readonly string[]): Promise<void> {
    for (const drain of this.#drains) {
      if (!drain.isRemoval || !pipelines.includes(drain.pipeline)) continue
      drain.cancel()
      await drain.ended
    }
  }

  /** Ends the waits for acknowledgements. */
  cancel(): void {
    for (const drain of this.#drains) drain.cancel()
  }

  async ended(): Promise<void> {
    await Promise.all([...this.#drains].map(({ ended }) => ended))
  }
}

/** The end of a pipeline, or of one of its earlier configs: it finishes its events and stops. */
class Drain {
  readonly pipeline: string
  readonly isRemoval: boolean
  readonly ended: Promise<void>
  readonly #cancel = new AbortController()

  constructor(transition: Transition, change: PipelineChange, deadline: AbortSignal, log: Log) {
    const { name: pipeline } = change
    this.pipeline = pipeline
    this.isRemoval = change.kind === 'removed'
    const timer = setTimeout(() => this.cancel(), DRAIN_DEADLINE).unref()
    this.ended = transition
      .drain(change, AbortSignal.any([deadline, this.#cancel.signal]))
      .then(
        (unacknowledged) => {
          if (unacknowledged === 0) return
          log.warn(
            { pipeline, unacknowledged },
            'the pipeline was removed from the config; its pending acknowledgements wait until it is added again',
          )
        },
        (thrown) => log.error({ pipeline, err: thrown }, 'a stage of the old config could not be stopped'),
      )
      .finally(() => clearTimeout(timer))
  }

  /** Ends the wait for acknowledgements. */
  cancel(): void {
    this.#cancel.abort()
  }
}
