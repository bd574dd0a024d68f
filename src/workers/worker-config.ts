import { formatLocation } from '../config/problem.js'
import type { CheckedConfig, CheckedFiles, ReadResult } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { stopPipeline } from '../pipeline/lifecycle.js'
import type { AttemptingStage, WorkerPipeline } from '../pipeline/pipeline.js'
import { changesOf, type PipelineChange } from '../pipeline/reload/changes.js'
import { Transition } from '../pipeline/reload/transition.js'
import type { BuiltStage } from '../pipeline/stage.js'
import { type ConfigMessage, filesOf, type Request } from './messages.js'
import { buildWorkerPipeline, type WorkerPipelineDeps } from './worker-pipeline.js'

export interface WorkerConfigOptions {
  readonly deps: WorkerPipelineDeps
  read(files: CheckedFiles): Promise<ReadResult>
  /** Called after the last event under this config. */
  onDrained(generation: number): void
}

/** Identifies the same pipeline in the primary process. */
interface Address {
  readonly generation: number
  readonly pipeline: number
}

interface Next {
  readonly generation: number
  readonly pipelines: readonly WorkerPipeline[]
  readonly changes: readonly PipelineChange[]
  readonly transition: Transition
}

/** The pipelines of a worker. The primary process decides which config they run, and requests the steps of a reload in order. */
export class WorkerConfig {
  readonly #options: WorkerConfigOptions
  readonly #log: Log
  readonly #addresses = new WeakMap<WorkerPipeline, Address>()
  #pipelines: readonly WorkerPipeline[] = []
  #generation = 0
  #next: Next | undefined

  constructor(options: WorkerConfigOptions) {
    this.#options = options
    this.#log = options.deps.log({})
  }

  async start(message: ConfigMessage): Promise<void> {
    this.#generation = message.generation
    this.#pipelines = this.#build(await this.#read(message), message.generation)
    await Transition.start(this.#pipelines, this.#options.deps.signal)
  }

  async prepare({ config: message, restart }: Extract<Request, { kind: 'prepare' }>): Promise<void> {
    const isRestarted = (pipeline: string, { name }: BuiltStage) =>
      restart.some((each) => each.pipeline === pipeline && each.stage === name)
    const pipelines = this.#build(await this.#read(message), message.generation, isRestarted)
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
    const drained = changes.map((change) =>
      transition.drain(change).catch((thrown) => {
        const fields = { pipeline: change.name, err: thrown }
        this.#log.error(fields, 'a stage of the old config could not be stopped')
      }),
    )
    void Promise.all(drained).then(() => this.#options.onDrained(before))
  }

  async rollback(): Promise<void> {
    const next = this.#next
    this.#next = undefined
    await next?.transition.rollback()
  }

  running(): readonly WorkerPipeline[] {
    return this.#pipelines
  }

  addressOf(pipeline: WorkerPipeline): Address {
    return this.#addresses.get(pipeline) as Address
  }

  /** A stage that the primary process has as well. */
  postCommit(name: string, stage: number): AttemptingStage {
    const pipeline = this.#pipelines.find((running) => running.name === name) as WorkerPipeline
    return pipeline.stages.postCommit[stage] as AttemptingStage
  }

  async stop(): Promise<void> {
    const { signal } = this.#options.deps
    await Promise.all(this.#pipelines.map((pipeline) => stopPipeline(pipeline, signal)))
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
  ): WorkerPipeline[] {
    return config.pipelines.flatMap((checked, index) => {
      if (checked.source.definition.single) return []
      const { name } = checked
      const running = this.#pipelines.find((pipeline) => pipeline.name === name)
      const isNew = (stage: BuiltStage) => isRestarted(name, stage)
      const pipeline = buildWorkerPipeline(config, checked, this.#options.deps, running, isNew)
      this.#addresses.set(pipeline, { generation, pipeline: index })
      return [pipeline]
    })
  }
}
