import type { CheckedPipeline } from '../config/check.js'
import type { CheckedConfig } from '../config/read.js'
import { buildDelivery, type Delivery, type DeliveryDeps, type Observed } from './build-delivery.js'
import { DEAD_LETTER_STAGE, observeRecord, observeSource } from './observe.js'
import type { Decider } from './pipeline.js'
import { deadLetterRecord, eventRecord } from './records.js'
import { type BuiltStage, buildStage, type IntakePaths, type StageDeps } from './stage.js'

/** A pipeline that decides events and commits none: it has no ledger, and makes no acknowledgements. */
export interface DecidingPipeline {
  readonly decider: Decider
  readonly stages: {
    readonly source: BuiltStage<'source'>
    readonly transforms: readonly BuiltStage<'transform'>[]
    readonly sink: BuiltStage<'sink'>
    readonly postCommit: readonly BuiltStage<'post-commit'>[]
  }
}

/** Builds a checked pipeline for dry runs. Pure: opens no connection and takes no event. */
export function buildDecidingPipeline(
  config: CheckedConfig,
  checked: CheckedPipeline,
  { http, ...deps }: DeliveryDeps & { readonly http: IntakePaths },
): DecidingPipeline {
  const delivery = buildDelivery(config, checked, deps)
  const { stageDeps, transforms, sink, sinkStage, targets } = delivery
  sink.expect(targets)
  const source = buildSourceStage(checked, stageDeps, http)
  return {
    decider: buildDecider(checked, delivery, source, observeDeadLetters(checked, delivery)),
    stages: {
      source,
      transforms: transforms.map(({ built }) => built),
      sink: sinkStage.built,
      postCommit: checked.postCommit.map((_, index) => buildPostCommitStage(checked, index, stageDeps)),
    },
  }
}

export const buildSourceStage = (
  { source }: CheckedPipeline,
  stageDeps: StageDeps,
  http: IntakePaths,
): BuiltStage<'source'> => buildStage(`source.${source.definition.name}`, source, stageDeps, { http })

export function buildPostCommitStage(
  { postCommit }: CheckedPipeline,
  index: number,
  stageDeps: StageDeps,
): BuiltStage<'post-commit'> {
  const checked = postCommit[index] as CheckedPipeline['postCommit'][number]
  return buildStage(`post-commit.${index}.${checked.definition.name}`, checked, stageDeps, {})
}

export const observeDeadLetters = ({ sink }: CheckedPipeline, { observe }: Delivery): Observed =>
  observe(DEAD_LETTER_STAGE, sink.definition.name)

/** Wraps the stages that `decide` calls, so that they are counted, timed and logged. */
export function buildDecider(
  { settings: { deadLetter: target } }: CheckedPipeline,
  { name, revision, mac, transforms, sink, sinkStage, observe }: Delivery,
  source: BuiltStage<'source'>,
  deadLetters: Observed,
): Decider {
  const origin = { name, revision, mac, sink }
  const sourceStage = observe(source.name, source.plugin)
  const makeRecord = observeRecord(sinkStage.ref, sinkStage.observer)
  const makeLetter = observeRecord(deadLetters.ref, deadLetters.observer)
  return {
    receive: observeSource(sourceStage.ref, sourceStage.observer),
    transforms: transforms.map(({ apply }) => apply),
    record: (event, digest, context) => makeRecord(event, () => eventRecord(origin, event, digest), context),
    deadLetter:
      target &&
      ((event, digest, failed, context) =>
        makeLetter(event, () => deadLetterRecord(origin, target, event, digest, failed), context)),
  }
}
