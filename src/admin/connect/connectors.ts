import { HeadgateError } from '../../contract/errors.js'
import { setTargetState } from '../../pipeline/lifecycle.js'
import { type PrimaryPipeline, stagesOf } from '../../pipeline/pipeline.js'
import type { BuiltStage } from '../../pipeline/stage.js'
import type { TargetState } from '../../pipeline/target-state.js'
import {
  type AdminRequest,
  type AdminResponse,
  emptyResponse,
  errorResponse,
  get,
  json,
  post,
  put,
  type Route,
} from '../routes.js'
import { type Connect, toConnectorConfig } from './connect.js'

/** The running pipelines: their state, and pause, resume, stop and restart. */
export function connectorRoutes(connect: Connect): Route[] {
  const connectors = new Connectors(connect)
  return [...readRoutes(connect, connectors), ...controlRoutes(connect, connectors)]
}

function readRoutes(connect: Connect, connectors: Connectors): Route[] {
  return [
    get('/connectors', ({ query }) => json(200, connectors.list(query))),
    get(
      '/connectors/{name}',
      ofPipeline(connect, (pipeline) => json(200, infoOf(pipeline, connect))),
    ),
    get(
      '/connectors/{name}/config',
      ofPipeline(connect, (pipeline) => json(200, configOf(pipeline, connect))),
    ),
    get(
      '/connectors/{name}/status',
      ofPipeline(connect, (pipeline) => json(200, connectors.status(pipeline))),
    ),
    get(
      '/connectors/{name}/topics',
      ofPipeline(connect, ({ name, targets }) => {
        const topics = [...new Set(targets.map(({ target }) => target.topic))]
        return json(200, { [name]: { topics } })
      }),
    ),
    get(
      '/connectors/{name}/offsets',
      ofPipeline(connect, async (pipeline) => json(200, { offsets: await offsetsOf(pipeline) })),
    ),
    get(
      '/connectors/{name}/tasks',
      ofPipeline(connect, (pipeline) => {
        const tasks = tasksOf(pipeline).map(({ name, plugin }, task) => ({
          id: { connector: pipeline.name, task },
          config: { 'task.class': plugin, stage: name },
        }))
        return json(200, tasks)
      }),
    ),
    get(
      '/connectors/{name}/tasks/{task}/status',
      ofTask(connect, (pipeline, _stage, id) => {
        const task = connectors.status(pipeline).tasks[id]
        return task === undefined
          ? errorResponse(404, `${pipeline.name} is stopped: it has no tasks.`)
          : json(200, task)
      }),
    ),
  ]
}

const controlRoutes = (connect: Connect, connectors: Connectors): Route[] => [
  put('/connectors/{name}/pause', setTarget(connect, 'PAUSED')),
  put('/connectors/{name}/resume', setTarget(connect, 'RUNNING')),
  put('/connectors/{name}/stop', setTarget(connect, 'STOPPED')),
  post(
    '/connectors/{name}/restart',
    ofPipeline(connect, async (pipeline, { query }) => {
      const onlyFailed = query.get('onlyFailed') === 'true'
      const stages = stagesOf(pipeline).filter(
        (stage) => !onlyFailed || reasonsOf(pipeline, stage).length > 0,
      )
      const failed = await connectors.restart(pipeline, stages)
      if (failed !== undefined) return failed
      if (query.get('includeTasks') !== 'true') return emptyResponse(204)
      const current = connect.reloader.running().find(({ name }) => name === pipeline.name) ?? pipeline
      return json(202, connectors.status(current))
    }),
  ),
  post(
    '/connectors/{name}/tasks/{task}/restart',
    ofTask(
      connect,
      async (pipeline, stage) => (await connectors.restart(pipeline, [stage])) ?? emptyResponse(204),
    ),
  ),
]

class Connectors {
  readonly #connect: Connect
  /** By pipeline: the stages that are being restarted. */
  readonly #restarting = new Map<string, ReadonlySet<string>>()

  constructor(connect: Connect) {
    this.#connect = connect
  }

  /** The names, or with `expand` an object with the state or the config of each. */
  list(query: URLSearchParams): object {
    const expand = query.getAll('expand').flatMap((value) => value.split(','))
    const pipelines = this.#connect.reloader.running()
    if (expand.length === 0) return pipelines.map(({ name }) => name)
    const expanded = pipelines.map((pipeline) => [
      pipeline.name,
      {
        ...(expand.includes('status') && { status: this.status(pipeline) }),
        ...(expand.includes('info') && { info: infoOf(pipeline, this.#connect) }),
      },
    ])
    return Object.fromEntries(expanded)
  }

  status(pipeline: PrimaryPipeline): ConnectorStatus {
    const restarting = this.#restarting.get(pipeline.name)
    return statusOf(pipeline, this.#connect, ({ name }) => restarting?.has(name) ?? false)
  }

  /** Undefined if it succeeded; otherwise the response. */
  async restart(
    { name }: PrimaryPipeline,
    stages: readonly BuiltStage[],
  ): Promise<AdminResponse | undefined> {
    const names = new Set(stages.map((stage) => stage.name))
    this.#restarting.set(name, names)
    try {
      await this.#connect.reloader.restart((pipeline, stage) => pipeline === name && names.has(stage.name))
      return undefined
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error
      const message = `The restart failed; the old stages keep running: ${error.code}: ${error.message}`
      return errorResponse(500, this.#connect.redact(message))
    } finally {
      this.#restarting.delete(name)
    }
  }
}

/** Handles a request for the pipeline that the path names. */
const ofPipeline =
  (
    { reloader }: Pick<Connect, 'reloader'>,
    respond: (pipeline: PrimaryPipeline, request: AdminRequest) => AdminResponse | Promise<AdminResponse>,
  ): Route['handle'] =>
  (request) => {
    const name = request.params['name']
    const pipeline = reloader.running().find((running) => running.name === name)
    return pipeline === undefined
      ? errorResponse(404, `Connector ${name} not found.`)
      : respond(pipeline, request)
  }

/** Handles a request for the stage that the path names by its number. */
const ofTask = (
  connect: Connect,
  respond: (
    pipeline: PrimaryPipeline,
    stage: BuiltStage,
    id: number,
  ) => AdminResponse | Promise<AdminResponse>,
): Route['handle'] =>
  ofPipeline(connect, (pipeline, { params }) => {
    const id = Number(params['task'])
    const stage = stagesOf(pipeline)[id]
    return stage === undefined
      ? errorResponse(404, `No status found for task ${pipeline.name}-${params['task']}.`)
      : respond(pipeline, stage, id)
  })

const setTarget = (connect: Connect, targetState: TargetState): Route['handle'] =>
  ofPipeline(connect, (pipeline) => {
    connect.targetStates.keep(pipeline.name, targetState)
    setTargetState(pipeline, targetState)
    pipeline.log.warn(
      { event: 'intent', intent: targetState },
      `an operator set the target state of the pipeline to ${targetState}`,
    )
    return emptyResponse(202)
  })

const offsetsOf = async ({ ledger }: PrimaryPipeline): Promise<readonly object[]> =>
  (await ledger.partitions()).map(({ topic, partition, acknowledged, known }) => ({
    partition: { kafka_topic: topic, kafka_partition: partition },
    offset: { kafka_offset: acknowledged, known },
  }))

/** As in Kafka Connect's documentation. */
type State = 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FAILED' | 'RESTARTING' | 'UNASSIGNED'

interface ComponentState {
  readonly state: State
  readonly worker_id: string
  /** Why it failed. */
  readonly trace?: string
}

interface TaskStatus extends ComponentState {
  readonly id: number
}

interface ConnectorStatus {
  readonly name: string
  readonly connector: ComponentState
  readonly tasks: readonly TaskStatus[]
  readonly type: 'source'
}

/** Why a stage does not take events now; empty if it does. */
const reasonsOf = (pipeline: PrimaryPipeline, { name, instance }: BuiltStage): readonly string[] => {
  if (pipeline.role === 'supervised') return pipeline.ledger.notReady(name)
  return 'notReady' in instance ? (instance.notReady?.() ?? []) : []
}

/** A stopped connector has no tasks. */
const tasksOf = (pipeline: PrimaryPipeline): readonly BuiltStage[] =>
  pipeline.runtime.targetState === 'STOPPED' ? [] : stagesOf(pipeline)

/**
 * A pipeline as a connector, whose tasks are its stages: each can fail and be restarted. If nothing has failed, the target
 * state is shown.
 */
function statusOf(
  pipeline: PrimaryPipeline,
  connect: Connect,
  isRestarting: (stage: BuiltStage) => boolean,
): ConnectorStatus {
  const { name, ledger } = pipeline
  const { targetState } = pipeline.runtime
  const stateOf = (reasons: readonly string[], restarting = false): ComponentState => {
    const worker_id = connect.worker
    if (restarting) return { state: 'RESTARTING', worker_id }
    if (!connect.started()) return { state: 'UNASSIGNED', worker_id }
    if (reasons.length === 0) return { state: targetState, worker_id }
    return { state: 'FAILED', worker_id, trace: connect.redact(reasons.join('\n')) }
  }
  return {
    name,
    connector: stateOf(ledger.notReady()),
    tasks: tasksOf(pipeline).map((stage, id) => ({
      id,
      ...stateOf(reasonsOf(pipeline, stage), isRestarting(stage)),
    })),
    type: 'source',
  }
}

/** The config and tasks of a pipeline, without their state. */
export function infoOf(pipeline: PrimaryPipeline, connect: Connect): object {
  const { name } = pipeline
  return {
    name,
    config: configOf(pipeline, connect),
    tasks: tasksOf(pipeline).map((_, task) => ({ connector: name, task })),
    type: 'source',
  }
}

/** As it is written in the file: references are shown, not their values. */
function configOf(pipeline: PrimaryPipeline, { reloader }: Connect) {
  const { pipelines } = reloader.config().written as {
    readonly pipelines: { readonly [name: string]: object }
  }
  return toConnectorConfig(pipeline.name, pipelines[pipeline.name] ?? {}, stagesOf(pipeline).length)
}
