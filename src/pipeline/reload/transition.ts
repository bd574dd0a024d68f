import type { CheckedConfig } from '../../config/read.js'
import { untilAborted } from '../../lib/async.js'
import {
  settleAll,
  showMetrics,
  startParts,
  stopParts,
  stopPipeline,
  unacknowledgedBy,
  untilReady,
} from '../lifecycle.js'
import type { BuiltSource, LivePipeline, PrimaryPipeline } from '../pipeline.js'
import { type Added, added, type PipelineChange, partsOf, type Replaced } from './changes.js'
import { reloadFailed } from './outcome.js'
import {
  changeLedger,
  expectTargets,
  inFlightOf,
  isWhole,
  outcomesKnown,
  prepareSink,
  requireMovable,
} from './sink-change.js'

/** A config that will replace the running one. */
export interface NextConfig {
  readonly config: CheckedConfig
  /** Built from the config in this process, in its order. */
  readonly pipelines: readonly PrimaryPipeline[]
  /** Stages to create again although their config is unchanged. */
  readonly restart: readonly { readonly pipeline: string; readonly stage: string }[]
}

/** The workers in a reload: they take the steps of a `Transition`, all of them or none. */
export interface WorkersTransition {
  prepare(next: NextConfig): Promise<void>
  quiesce(): Promise<void>
  commit(): void
  rollback(): void
  /** Resolves once no worker has an event under the config of this pipeline. */
  drained(pipeline: PrimaryPipeline): Promise<void>
}

export interface TransitionOptions {
  /** Ends every wait before the commit: the transition fails then. */
  readonly cancel: AbortSignal
  /** Ends every wait for a part to stop. */
  readonly deadline: AbortSignal
  readonly workers?: WorkersTransition | undefined
}

/** All in milliseconds. */
const STAGE_READY_TIMEOUT = 5000
/** A new pipeline restores its ledger first: until then its sender would receive 503. */
const PIPELINE_READY_TIMEOUT = 60_000
/** The longest time that senders wait for records in flight to a sink that is replaced. */
const QUIESCE_TIMEOUT = 5000

/**
 * The steps from the running config to the next one, in the primary process and in each worker. `prepare`, `quiesce` and
 * `commit` are called in this order; `rollback` instead of the next one leaves everything as it was. After the
 * commit, `drain` stops the parts that the next config does not have.
 */
export class Transition {
  readonly #changes: readonly PipelineChange[]
  readonly #cancel: AbortSignal
  readonly #deadline: AbortSignal
  readonly #workers: WorkersTransition | undefined
  readonly #barrier = new Barrier()
  #startedSources: BuiltSource[] = []

  /**
   * The first start of a process: the same steps, but a part that is not ready (its cluster is down) is no failure, since
   * no earlier config could continue. Each pipeline starts by itself: none waits for the cluster of another. Rejects if a part
   * can never work; then none runs.
   */
  static async start(pipelines: readonly LivePipeline[], deadline: AbortSignal): Promise<void> {
    const started = pipelines.map(async (pipeline) => {
      await new Transition([added(pipeline)], { cancel: deadline, deadline }).#start()
      return pipeline
    })
    try {
      await settleAll(started)
    } catch (error) {
      const running = (await Promise.allSettled(started)).flatMap((each) =>
        each.status === 'fulfilled' ? [each.value] : [],
      )
      // The next process makes their acknowledgements.
      await Promise.all(running.map((pipeline) => stopPipeline(pipeline, deadline, true)))
      throw error
    }
  }

  constructor(changes: readonly PipelineChange[], { cancel, deadline, workers }: TransitionOptions) {
    this.#changes = changes
    this.#cancel = cancel
    this.#deadline = deadline
    this.#workers = workers
  }

  /** Starts the added parts, which take no event yet. Rejects if they cannot be used. */
  async prepare(): Promise<void> {
    await this.#startAdded()
    await settleAll(
      this.#changes.map(async (change) => {
        if (change.kind !== 'removed') await this.#untilReady(change)
      }),
    )
  }

  /**
   * Brings every pipeline to a point between two events. Requests that arrive meanwhile wait, usually for a few milliseconds.
   * Nothing can fail afterwards.
   */
  async quiesce(): Promise<void> {
    try {
      const withOtherSink = this.#changes.filter(
        (change): change is Replaced => change.kind === 'replaced' && change.hasOtherSink,
      )
      for (const { running } of withOtherSink) this.#barrier.close(running.stages.source)
      // Afterwards workers have sent over every event that they took under the running config.
      await this.#workers?.quiesce()
      for (const change of withOtherSink) await this.#sinkIdle(change)
      await this.#startSources()
    } catch (error) {
      await this.#reopen()
      throw error
    }
  }

  /** Synchronous, so that no event arrives in between. */
  commit(): void {
    for (const change of this.#changes) if (change.kind !== 'removed') commitChange(change)
    this.#workers?.commit()
    this.#barrier.open()
  }

  /** Stops the added parts. */
  async rollback(): Promise<void> {
    await this.#reopen()
    this.#workers?.rollback()
    for (const change of this.#changes) {
      if (change.kind === 'removed') continue
      const { next } = change
      const parts = partsOf(change, 'added')
      await stopParts(parts, this.#deadline)
      for (const { metrics } of parts.flat()) metrics.close()
      next.metrics.close()
      if (change.kind === 'replaced' && isWhole(change) && !change.hasOtherSink) expectTargets(change.next)
    }
  }

  /**
   * After the commit: lets every event end under the config that it began with, then stops the removed parts.
   * `acknowledgeUntil` ends the wait of a removed pipeline for its acknowledgements. Returns how many it leaves.
   */
  async drain(change: PipelineChange, acknowledgeUntil = this.#deadline): Promise<number> {
    if (change.kind === 'added') return 0
    const { running } = change
    const deadline = this.#deadline
    if (running.role !== 'deciding') await untilAborted(this.#workers?.drained(running), deadline)
    const steps = partsOf(change, 'removed')
    const parts = steps.flat()
    for (const part of parts) {
      if (part.kind !== 'source') continue
      await untilAborted(part.subject.paths.withdraw?.(), deadline)
      await untilAborted(part.stop(), deadline)
    }
    await untilAborted(running.traffic.idle(), deadline)
    if (change.kind === 'replaced' && running.role === 'whole') await outcomesKnown(running, deadline)
    running.flushLogs()
    for (const part of parts) {
      if (part.kind !== 'acknowledger') continue
      if (change.kind === 'removed') await part.subject.drain(acknowledgeUntil)
      await untilAborted(part.stop(), deadline)
    }
    const unacknowledged = change.kind === 'removed' ? unacknowledgedBy(running) : 0
    running.runtime.live.delete(running)
    await stopParts(steps, deadline)
    if (change.kind === 'replaced' && isWhole(change) && !change.hasOtherSink) expectTargets(change.running)
    for (const { metrics } of parts) metrics.close()
    running.metrics.close()
    return unacknowledged
  }

  async #start(): Promise<void> {
    try {
      await this.#startAdded()
      await this.quiesce()
      this.commit()
    } catch (error) {
      await this.rollback()
      throw error
    }
  }

  /** The sources of the added pipelines are started by `quiesce`, their acknowledgers by `commit`. */
  #startAdded(): Promise<void> {
    return settleAll(this.#changes.map((change) => startParts(partsOf(change, 'added'))))
  }

  async #untilReady(change: Added | Replaced): Promise<void> {
    const timeout = change.kind === 'added' ? PIPELINE_READY_TIMEOUT : STAGE_READY_TIMEOUT
    const signal = AbortSignal.any([this.#cancel, AbortSignal.timeout(timeout)])
    const reasons = await untilReady(partsOf(change, 'added'), signal)
    if (reasons.length > 0) throw reloadFailed(reasons.join(' '))
    if (change.kind === 'replaced' && isWhole(change)) await prepareSink(change, signal)
  }

  async #sinkIdle(change: Replaced): Promise<void> {
    const { name, running } = change
    const signal = AbortSignal.any([this.#cancel, AbortSignal.timeout(QUIESCE_TIMEOUT)])
    const inFlight = await inFlightOf([...running.runtime.live], signal)
    if (inFlight > 0)
      throw reloadFailed(
        `${name}: Cannot replace the sink: ${inFlight} events are still in flight to it after ${QUIESCE_TIMEOUT / 1000} s.`,
      )
    if (isWhole(change)) requireMovable(change)
  }

  async #startSources(): Promise<void> {
    for (const change of this.#changes)
      for (const { kind, subject } of partsOf(change, 'removed').flat())
        if (kind === 'source') subject.paths.offer?.()
    for (const change of this.#changes) {
      if (change.kind === 'removed') continue
      for (const part of partsOf(change, 'added').flat()) {
        if (part.kind !== 'source') continue
        const source = part.subject
        this.#barrier.close(source)
        // If the transition fails, the events of this source continue under the running config.
        source.intake.current = change.kind === 'replaced' ? change.running : change.next
        this.#startedSources.push(source)
        await part.start()
      }
    }
  }

  /** Returns waiting requests to the running config. */
  async #reopen(): Promise<void> {
    this.#barrier.open()
    for (const source of this.#startedSources.splice(0)) {
      await source.paths.withdraw?.()
      await source.instance.stop()
    }
  }
}

/** Makes the requests of sources wait until it opens; they continue under the pipeline that is current then. */
class Barrier {
  readonly #closed: BuiltSource[] = []
  readonly #opened: Promise<void>
  #resolve = (): void => {}

  constructor() {
    this.#opened = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  close(source: BuiltSource): void {
    source.intake.barrier = this.#opened
    this.#closed.push(source)
  }

  open(): void {
    for (const { intake } of this.#closed.splice(0)) intake.barrier = undefined
    this.#resolve()
  }
}

function commitChange(change: Added | Replaced): void {
  const { next } = change
  const { stages } = next
  next.runtime.live.add(next)
  if (change.kind === 'replaced') {
    const { running } = change
    for (const part of partsOf(change, 'removed').flat()) if (part.kind === 'acknowledger') void part.stop()
    if (isWhole(change)) changeLedger(change)
    // Requests to the old source must not go to a sink whose log is no longer that of the ledger.
    if (change.hasOtherSink) running.stages.source.intake.current = next
  }
  stages.source.intake.current = next
  showMetrics(next)
  for (const part of partsOf(change, 'added').flat()) if (part.kind === 'acknowledger') void part.start()
}
