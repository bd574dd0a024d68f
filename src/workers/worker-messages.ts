import { HeadgateError } from '../contract/errors.js'
import type { Outcome } from '../contract/index.js'
import type { RefusedRequests } from '../http/refused.js'
import type { MetricsRegistry, ProcessMetrics } from '../metrics/registry.js'
import type { PrimaryPipeline } from '../pipeline/pipeline.js'
import type { Tap } from '../pipeline/taps.js'
import type { Attempts } from './attempts.js'
import type { EventMessage } from './event-message.js'
import type { Generations } from './generations.js'
import { commitForWorker } from './handover.js'
import type { Response, ToPrimary } from './messages.js'
import type { ObservedWorkers } from './observed-workers.js'
import type { WorkerProcess } from './process.js'
import { fromRefusedMessage } from './refused-message.js'
import { fromAttemptMadeMessage, fromCompletedMessage } from './tap-message.js'
import { toOutcomeMessage } from './wire.js'

/** The receivers of messages in this process. */
export interface WorkerMessagesOptions {
  readonly generations: Generations<WorkerProcess>
  readonly attempts: Attempts
  readonly observed: ObservedWorkers
  readonly metrics: ProcessMetrics
  /** Takes the refused requests of workers, when they are asked for. */
  readonly refused: RefusedRequests
  /** Shown the events of the pipelines that workers have whole. */
  readonly taps: () => ReadonlySet<Tap>
  /** Writes a line of a worker's log. */
  line(line: string): void
  /** The pipelines of the current config. */
  pipelines(): readonly PrimaryPipeline[]
}

/** For a new pipeline of a config that was rolled back, if a sender has used its path already. */
const NEVER_RAN: Outcome = {
  kind: 'unavailable',
  id: undefined,
  error: new HeadgateError('HG_INTAKE_STOPPING', 'This pipeline takes no events.'),
}

/** The messages that workers send of themselves: events to commit, results, and what operators see of them. */
export class WorkerMessages {
  readonly #options: WorkerMessagesOptions

  constructor(options: WorkerMessagesOptions) {
    this.#options = options
  }

  take(message: Exclude<ToPrimary, Response>, parts: readonly Buffer[], from: WorkerProcess): void {
    const options = this.#options
    switch (message.kind) {
      case 'event':
        this.#commit(message, parts, from)
        break
      case 'attempted':
        options.attempts.settle(message, from)
        break
      case 'report':
        options.metrics.add(message.report.counts, ({ pipeline }) => this.#scopeOf(pipeline))
        options.observed.reported(from, message.report)
        break
      case 'completed': {
        const pipeline = this.#find(message.pipeline)
        if (pipeline === undefined) break
        const completed = fromCompletedMessage(message, parts, pipeline)
        for (const tap of options.taps()) tap.offer(completed)
        break
      }
      case 'attempt-made':
        for (const tap of options.taps()) tap.attempted(fromAttemptMadeMessage(message))
        break
      case 'refused':
        for (const each of fromRefusedMessage(message, parts)) options.refused.add(each)
        break
      case 'drained':
        options.generations.workerDrained(message.generation, from)
        break
      case 'line':
        options.line(message.line)
    }
  }

  #commit(message: EventMessage, parts: readonly Buffer[], from: WorkerProcess): void {
    const pipeline = this.#options.generations.pipeline(message.generation, message.pipeline)
    if (pipeline?.role === 'whole') commitForWorker(pipeline, message, parts, from.send)
    else from.send(toOutcomeMessage(message.number, NEVER_RAN, undefined))
  }

  /** The metrics that the counts of workers for this pipeline go to. */
  #scopeOf(pipeline: string | undefined): MetricsRegistry | undefined {
    if (pipeline === undefined || pipeline === 'none') return this.#options.metrics
    return this.#find(pipeline)?.runtime.metrics
  }

  #find(pipeline: string): PrimaryPipeline | undefined {
    return this.#options.pipelines().find(({ name }) => name === pipeline)
  }
}
