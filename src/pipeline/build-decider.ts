import type { CheckedPipeline } from '../config/checked-pipeline.js'
import type { CheckedConfig } from '../config/read.js'
import { readsOf } from '../config/request-reads.js'
import { buildDelivery, type Delivery, type DeliveryDeps, type Observed } from './build-delivery.js'
import { DEAD_LETTER_STAGE, observeRecord, observeSource } from './observe.js'
import type { Decider, DecidingPipeline, Stages } from './pipeline.js'
import { deadLetterRecord, eventRecord } from './records.js'
import { requestReader } from './request-parts.js'
import { type BuiltStage, buildStage, type IntakePaths } from './stage.js'

/** Builds a checked pipeline for dry runs. Pure: opens no connection and takes no event. */
export function buildDecidingPipeline(
  config: CheckedConfig,
  checked: CheckedPipeline,
  { http, ...deps }: DeliveryDeps & { readonly http: IntakePaths },
): DecidingPipeline {
  const delivery = buildDelivery(config, checked, deps)
  delivery.sink.expect(delivery.targets)
  const stages = buildStages(checked, delivery, http)
  return {
    decider: buildDecider(checked, delivery, stages.source, observeDeadLetters(checked, delivery)),
    stages,
  }
}

/** Builds the source and the post-commit stages; the delivery has the others. */
export const buildStages = (
  { source, postCommit }: CheckedPipeline,
  { stageDeps, transforms, sinkStage }: Delivery,
  http: IntakePaths,
): Stages => ({
  source: buildStage(`source.${source.definition.name}`, source, stageDeps, { http }),
  transforms: transforms.map(({ built }) => built),
  sink: sinkStage.built,
  postCommit: postCommit.map((checked, index) =>
    buildStage(`post-commit.${index}.${checked.definition.name}`, checked, stageDeps, {}),
  ),
})

export const observeDeadLetters = ({ sink }: CheckedPipeline, { observe }: Delivery): Observed =>
  observe(DEAD_LETTER_STAGE, sink.definition.name)

/** Wraps the stages that `decide` calls, so that they are counted, timed and logged. */
export function buildDecider(
  checked: CheckedPipeline,
  { name, revision, mac, transforms, sink, sinkStage, observe }: Delivery,
  source: BuiltStage<'source'>,
  deadLetters: Observed,
): Decider {
  const { deadLetter: target } = checked.settings
  const origin = { name, revision, mac, sink }
  const read = requestReader(readsOf(checked).map(({ part }) => part))
  const sourceStage = observe(source.name, source.plugin)
  const makeRecord = observeRecord(sinkStage.ref, sinkStage.observer)
  const makeLetter = observeRecord(deadLetters.ref, deadLetters.observer)
  return {
    receive: observeSource(sourceStage.ref, sourceStage.observer, read),
    transforms: transforms.map(({ apply }) => apply),
    record: (event, digest, context) => makeRecord(event, () => eventRecord(origin, event, digest), context),
    deadLetter:
      target &&
      ((event, digest, failed, context) =>
        makeLetter(
          event,
          () => deadLetterRecord(origin, target, event, digest, failed, context?.request?.remoteAddress),
          context,
        )),
  }
}
