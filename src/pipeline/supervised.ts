import type { CheckedPipeline } from '../config/checked-pipeline.js'
import type { CheckedConfig } from '../config/read.js'
import { buildPipeline, type PipelineDeps } from './build.js'
import type { Pipeline, PrimaryPipeline, SupervisedPipeline, WorkersLedger } from './pipeline.js'
import { requireSameInboxTopic, requireSameTopics, topicsOf } from './reload/sink-change.js'
import type { BuiltStage } from './stage.js'

/** Whether each worker has the pipeline whole: then its state is in Kafka, and instances share it. */
export const isWholeInWorkers = ({
  settings,
  source,
}: Pick<CheckedPipeline, 'settings' | 'source'>): boolean =>
  settings.inbox !== undefined || source.definition.topics !== undefined

/** The ledgers of the workers; undefined if there are no workers. */
export type LedgersOfWorkers = ((pipeline: string) => WorkersLedger) | undefined

/** Builds a checked pipeline of the primary process. As `buildPipeline`. Throws if a reload changes which processes have it whole. */
export function buildPrimaryPipeline(
  config: CheckedConfig,
  checked: CheckedPipeline,
  deps: PipelineDeps,
  ledgerOf: LedgersOfWorkers,
  running?: PrimaryPipeline,
  isRestarted?: (stage: BuiltStage) => boolean,
): PrimaryPipeline {
  const { name, settings } = checked
  // Otherwise the events of a pipeline would be in two places during the reload.
  if (running !== undefined && ledgerOf !== undefined) {
    requireSameInboxTopic(name, running.settings, settings)
    requireSameTopics(name, topicsOf(running), topicsIn(checked))
  }
  const built = buildPipeline(config, checked, deps, blueprintOf(running), isRestarted)
  if (ledgerOf === undefined || !isWholeInWorkers(checked)) return built
  return {
    ...built,
    role: 'supervised',
    ledger: ledgerOf(name),
    blueprint: built,
  } satisfies SupervisedPipeline
}

const blueprintOf = (running: PrimaryPipeline | undefined): Pipeline | undefined =>
  running?.role === 'supervised' ? running.blueprint : running

const topicsIn = ({ source }: CheckedPipeline): readonly string[] | undefined =>
  source.definition.topics?.(source.config).map(({ topic }) => topic)
