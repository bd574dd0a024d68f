import { formatLocation } from '../config/problem.js'
import type { CheckedConfig, CheckedFiles, ReadResult } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import { buildPipeline, type PipelineDeps } from '../pipeline/build.js'
import { stopPipeline, type Unfinished } from '../pipeline/lifecycle.js'
import type { AttemptingStage, Pipeline, WorkerPipeline } from '../pipeline/pipeline.js'
import { changesOf, type PipelineChange } from '../pipeline/reload/changes.js'
import { Drains } from '../pipeline/reload/drains.js'
import { isWhole } from '../pipeline/reload/sink-change.js'
import { Transition } from '../pipeline/reload/transition.js'
import type { BuiltStage } from '../pipeline/stage.js'
import { isWholeInWorkers } from '../pipeline/supervised.js'
import { type ConfigMessage, filesOf, type Request } from './messages.js'
import { buildWorkerPipeline, type WorkerPipelineDeps } from './worker-pipeline.js'

export interface WorkerConfigOptions {
  readonly deps: WorkerPipelineDeps & Omit<PipelineDeps, 'openStore'>
  read(files: CheckedFiles): Promise<ReadResult>
  /** Called after the last event under this config. */
  onDrained(generation: number): void
}

/** A pipeline of a worker: one with an inbox is whole. */
export type InWorker = Pipeline | WorkerPipeline

/** Identifies the same pipeline in the primary process. */
interface Address {
  readonly generation: number
  readonly pipeline: number
}

interface Next {
  readonly generation: number
  readonly pipelines: readonly InWorker[]
  readonly changes: readonly PipelineChange[]
  readonly transition: Transition
}

/** The pipelines of a worker. The primary process decides which config they run, and requests the steps of a reload in order. */
export class WorkerConfig {
  readonly #options: WorkerConfigOptions
  readonly #addresses = new WeakMap<WorkerPipeline, Address>()
  readonly #drains: Drains
  #pipelines: readonly InWorker[] = []
  #generation = 0
  #next: Next | undefined

  constructor(options: WorkerConfigOptions) {
    this.#options = options
    this.#drains = new Drains(options.deps.signal, options.deps.log({}))
  }

  async start(message: ConfigMessage): Promise<void> {
    this.#generation = message.generation
    this.#pipelines = this.#build(await this.#read(message), message.generation)
    await Transition.start(this.#pipelines, this.#options.deps.signal)
  }

  async prepare({ config: message, restart }: Extract<Request, { kind: 'prepare' }>): Promise<void> {
    const isRestarted = (pipeline: string, { name }: BuiltStage) =>
      restart.some((each) => each.pipeline === pipeline && each.stage === name)
    const config = await this.#read(message)
    await this.#drains.removed(config.pipelines.map(({ name }) => name))
    const pipelines = this.#build(config, message.generation, isRestarted)
    const { signal } = this.#options.deps
    const changes = changesOf(this.#pipelines, pipelines)
    const transition = new Transition(changes, { cancel: signal, deadline: signal })
    this.#next = { generation: message.generation, pipelines, changes, transition }
    await transition.prepare()
  }

  async quiesce(): Promise<void> {
    await this.#next?.transition.quiesce()
  }

  commit(): void {
    if (this.#next === undefined) return
    const before = this.#generation
    const { generation, pipelines, changes, transition } = this.#next
    transition.commit()
    this.#generation = generation
    this.#next = undefined
    this.#pipelines = pipelines
    const drained = changes.map((change) => this.#drains.start(transition, change))
    // The primary process has no events of the others.
    const decided = drained.filter((_, at) => !isWhole(changes[at] as PipelineChange))
    void Promise.all(decided).then(() => this.#options.onDrained(before))
  }

  async rollback(): Promise<void> {
    const next = this.#next
    this.#next = undefined
    await next?.transition.rollback()
  }

  running(): readonly InWorker[] {
    return this.#pipelines
  }

  find(name: string): InWorker | undefined {
    return this.#pipelines.find((running) => running.name === name)
  }

  addressOf(pipeline: WorkerPipeline): Address {
    return this.#addresses.get(pipeline) as Address
  }

  /** A stage that the primary process has as well. */
  postCommit(name: string, stage: number): AttemptingStage {
    const pipeline = this.find(name) as WorkerPipeline
    return pipeline.stages.postCommit[stage] as AttemptingStage
  }

  /** Returns the unfinished work of its whole pipelines. */
  async stop(): Promise<Unfinished[]> {
    const { signal } = this.#options.deps
    this.#drains.cancel()
    const stopped = this.#pipelines.map(async (pipeline) => {
      const unfinished = await stopPipeline(pipeline, signal)
      return pipeline.role === 'whole' ? [unfinished] : []
    })
    const unfinished = await Promise.all(stopped)
    await this.#drains.ended()
    return unfinished.flat()
  }

  async #read(message: ConfigMessage): Promise<CheckedConfig> {
    const result = await this.#options.read(filesOf(message))
    if (!result.ok) {
      const reasons = result.problems.map(
        ({ location, message }) => `${formatLocation(location)}: ${message}`,
      )
      throw new HeadgateError('HG_WORKER_FAILED', `The worker refuses the config: ${reasons.join(' ')}`)
    }
    return result.config
  }

  /** Skips pipelines whose source runs only in the primary process. */
  #build(
    config: CheckedConfig,
    generation: number,
    isRestarted: (pipeline: string, stage: BuiltStage) => boolean = () => false,
  ): InWorker[] {
    return config.pipelines.flatMap((checked, index): InWorker[] => {
      if (checked.source.definition.single) return []
      const { name } = checked
      const running = this.find(name)
      const isNew = (stage: BuiltStage) => isRestarted(name, stage)
      const { deps } = this.#options
      // The primary process refuses a config that changes which of the two it is.
      if (isWholeInWorkers(checked))
        return [
          buildPipeline(config, checked, { ...deps, openStore }, running as Pipeline | undefined, isNew),
        ]
      const before = running as WorkerPipeline | undefined
      const pipeline = buildWorkerPipeline(config, checked, deps, before, isNew)
      this.#addresses.set(pipeline, { generation, pipeline: index })
      return [pipeline]
    })
  }
}

/** A pipeline that keeps its state on the disk has it in the primary process. */
const openStore: PipelineDeps['openStore'] = async (pipeline) => {
  throw new HeadgateError(
    'HG_WORKER_FAILED',
    `A worker has no state directory for the pipeline "${pipeline}".`,
  )
}
