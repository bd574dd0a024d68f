import { type Pipeline, stagesOf } from '../../pipeline/build.js'
import type { BuiltStage } from '../../pipeline/stage.js'
import type { Connect } from './connect.js'
import { toConnectorConfig } from './connector-config.js'

/** As the pages of Kafka Connect know them. */
export type State = 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FAILED' | 'RESTARTING' | 'UNASSIGNED'

interface Standing {
  readonly state: State
  readonly worker_id: string
  /** Why it failed. */
  readonly trace?: string
}

export interface TaskStatus extends Standing {
  readonly id: number
}

export interface ConnectorStatus {
  readonly name: string
  readonly connector: Standing
  readonly tasks: readonly TaskStatus[]
  readonly type: 'source'
}

/** Why a stage does not take events now; empty where it does. */
export const reasonsOf = ({ instance }: BuiltStage): readonly string[] =>
  'notReady' in instance ? (instance.notReady?.() ?? []) : []

/** A stopped connector has no tasks. */
export const tasksOf = (pipeline: Pipeline): readonly BuiltStage[] =>
  pipeline.parts.resident.intent === 'STOPPED' ? [] : stagesOf(pipeline)

/**
 * A pipeline as a connector, whose tasks are its stages: each can fail and be restarted. What the operator wants shows where
 * nothing has failed.
 */
export function statusOf(
  pipeline: Pipeline,
  connect: Connect,
  isRestarting: (stage: BuiltStage) => boolean = () => false,
): ConnectorStatus {
  const { name, ledger } = pipeline
  const { intent } = pipeline.parts.resident
  const standing = (reasons: readonly string[], restarting = false): Standing => {
    const worker_id = connect.worker
    if (restarting) return { state: 'RESTARTING', worker_id }
    if (!connect.started()) return { state: 'UNASSIGNED', worker_id }
    if (reasons.length === 0) return { state: intent, worker_id }
    return { state: 'FAILED', worker_id, trace: connect.redact(reasons.join('\n')) }
  }
  return {
    name,
    connector: standing(ledger.notReady()),
    tasks: tasksOf(pipeline).map((stage, id) => ({ id, ...standing(reasonsOf(stage), isRestarting(stage)) })),
    type: 'source',
  }
}

/** What a pipeline is, without how it is. */
export function infoOf(pipeline: Pipeline, connect: Connect): object {
  const { name } = pipeline
  return {
    name,
    config: configOf(pipeline, connect),
    tasks: tasksOf(pipeline).map((_, task) => ({ connector: name, task })),
    type: 'source',
  }
}

/** As it is written in the file; what references stand for is not shown. */
export function configOf(pipeline: Pipeline, { reloader }: Connect) {
  const { pipelines } = reloader.config().written as {
    readonly pipelines: { readonly [name: string]: object }
  }
  return toConnectorConfig(pipeline.name, pipelines[pipeline.name] ?? {}, stagesOf(pipeline).length)
}
