import { HeadgateError } from '../errors.js'
import { assemblePipeline, type Pipeline, type Surroundings } from '../pipeline/build.js'
import type { CheckedPipeline, CheckedStage } from '../pipeline/config/check.js'
import type { CheckedConfig } from '../pipeline/config/read.js'
import { noLedger } from '../pipeline/ledger/no-ledger.js'
import type { BuiltStage } from '../pipeline/stage.js'
import type { Sink } from '../plugin.js'

/** A pipeline as a worker has it: the source and the transforms, and of the sink only what makes records. */
export const frontPipeline = (
  config: CheckedConfig,
  checked: CheckedPipeline,
  surroundings: Omit<Surroundings, 'state'>,
  running?: Pipeline,
  anew?: (stage: BuiltStage) => boolean,
): Pipeline => assemblePipeline(config, frontOf(checked), surroundings, () => noLedger, running, anew)

const frontOf = ({ sink, settings, ...checked }: CheckedPipeline): CheckedPipeline => ({
  ...checked,
  settings: { ...settings, postCommit: [] },
  postCommit: [],
  sink: { ...sink, definition: makingRecords(sink.definition) },
})

type SinkDefinition = CheckedStage<'sink'>['definition']

/** Always the same for one definition: by that a reload knows a stage again. */
const known = new WeakMap<SinkDefinition, SinkDefinition>()

function makingRecords(definition: SinkDefinition): SinkDefinition {
  const its = known.get(definition) ?? { ...definition, create: recordMaker(definition.create) }
  known.set(definition, its)
  return its
}

const recordMaker =
  (create: SinkDefinition['create']): SinkDefinition['create'] =>
  (config, context) => {
    const sink = create(config, context)
    return {
      expect() {},
      record: (event, headers) => sink.record(event, headers),
      key: (event) => sink.key(event),
      headers: (event) => sink.headers?.(event) ?? [],
      send: () =>
        Promise.reject(
          new HeadgateError('HG_PLUGIN_FAILED', 'A worker writes no records: its primary process does.'),
        ),
    } satisfies Sink
  }
