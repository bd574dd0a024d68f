import { formatLocation } from '../config/problem.js'
import type { CheckedConfig, ReadResult } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { Surroundings } from '../pipeline/build.js'
import { startPipeline, stopPipeline } from '../pipeline/lifecycle.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import { discard, startBeside } from '../pipeline/reload/beside.js'
import { retire } from '../pipeline/reload/retire.js'
import { type Armed, arm, type Swap } from '../pipeline/reload/transition.js'
import type { BuiltStage } from '../pipeline/stage.js'
import { frontPipeline } from './front-pipeline.js'
import { type ConfigMessage, contentsOf, type Request } from './messages.js'

export interface FrontConfigOptions {
  readonly surroundings: Omit<Surroundings, 'state'>
  read(contents: ReturnType<typeof contentsOf>): Promise<ReadResult>
  /** No event comes under this config any more. */
  left(generation: number): void
}

/** The pipelines of a worker, under the config that the primary process has it use. Each of these steps comes after the one before. */
export interface FrontConfig {
  start(config: ConfigMessage): Promise<void>
  prepare(request: Extract<Request, { kind: 'prepare' }>): Promise<void>
  arm(): Promise<void>
  commit(): void
  abandon(): Promise<void>
  running(): readonly Pipeline[]
  /** Where the primary process has the same pipeline. */
  addressOf(pipeline: Pipeline): Address
  /** One that the primary process has as well. */
  postCommit(pipeline: string, stage: number): BuiltStage<'post-commit'>
  stop(): Promise<void>
}

interface Address {
  readonly generation: number
  readonly pipeline: number
}

interface Next {
  readonly generation: number
  readonly swaps: readonly Swap[]
  armed: Armed | undefined
}

export function createFrontConfig({ surroundings, read, left }: FrontConfigOptions): FrontConfig {
  const { signal } = surroundings
  const log = surroundings.log({})
  const addresses = new WeakMap<Pipeline, Address>()
  let pipelines = new Map<string, Pipeline>()
  let generation = 0
  let next: Next | undefined

  async function checked(message: ConfigMessage): Promise<CheckedConfig> {
    const { revision } = message
    const result = await read(contentsOf(message))
    if (!result.ok) {
      const reasons = result.problems.map(
        ({ location, message }) => `${formatLocation(location)}: ${message}`,
      )
      throw new HeadgateError('HG_WORKER_FAILED', `The config is not one here: ${reasons.join(' ')}`)
    }
    // What was not sent along: the file of a plugin, which was exchanged meanwhile.
    if (result.config.revision !== revision)
      throw new HeadgateError('HG_WORKER_FAILED', `The files of revision ${revision} are no longer on disk.`)
    return result.config
  }
  /** Those of them whose sources have their events from the listener. */
  const build = (
    config: CheckedConfig,
    its: number,
    anew: (pipeline: string, stage: BuiltStage) => boolean = () => false,
  ): Pipeline[] =>
    config.pipelines.flatMap((checked, index) => {
      if (checked.source.definition.single) return []
      const { name } = checked
      const fresh = (stage: BuiltStage) => anew(name, stage)
      const pipeline = frontPipeline(config, checked, surroundings, pipelines.get(name), fresh)
      addresses.set(pipeline, { generation: its, pipeline: index })
      return [pipeline]
    })
  const byName = (built: readonly Pipeline[]) => new Map(built.map((pipeline) => [pipeline.name, pipeline]))

  return {
    async start(message) {
      generation = message.generation
      pipelines = byName(build(await checked(message), generation))
      for (const pipeline of pipelines.values()) await startPipeline(pipeline)
    },
    async prepare({ config: message, anew }) {
      const built = byName(
        build(await checked(message), message.generation, (pipeline, { name }) =>
          anew.some((one) => one.pipeline === pipeline && one.stage === name),
        ),
      )
      const names = new Set([...pipelines.keys(), ...built.keys()])
      const swaps = [...names].map((name) => ({ running: pipelines.get(name), next: built.get(name) }))
      next = { generation: message.generation, swaps, armed: undefined }
      for (const each of swaps) await startBeside(each, signal)
    },
    async arm() {
      if (next !== undefined) next.armed = await arm(next.swaps, signal)
    },
    commit() {
      if (next === undefined) return
      const before = generation
      const { swaps } = next
      next.armed?.commit()
      generation = next.generation
      next = undefined
      pipelines = byName(swaps.flatMap(({ next }) => next ?? []))
      const retired = swaps.map((each) =>
        retire(each, signal, signal).catch((thrown) =>
          log.error(
            { pipeline: each.running?.name, err: thrown },
            'a stage of the old config could not be stopped',
          ),
        ),
      )
      void Promise.all(retired).then(() => left(before))
    },
    async abandon() {
      if (next === undefined) return
      const { swaps, armed } = next
      next = undefined
      await armed?.abandon()
      for (const each of swaps) await discard(each, signal)
    },
    running: () => [...pipelines.values()],
    addressOf: (pipeline) => addresses.get(pipeline) as Address,
    postCommit: (pipeline, stage) =>
      (pipelines.get(pipeline) as Pipeline).stages.postCommit[stage]?.stage as BuiltStage<'post-commit'>,
    async stop() {
      await Promise.all([...pipelines.values()].map((pipeline) => stopPipeline(pipeline, signal)))
    },
  }
}
