import type { CheckedPipeline, CheckedStage } from '../config/check.js'
import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { PostCommit, Sink } from '../contract/index.js'
import { noLedger } from '../ledger/ledger.js'
import { assemblePipeline, type Surroundings } from '../pipeline/build.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import type { BuiltStage } from '../pipeline/stage.js'

/**
 * A pipeline as a worker has it: the source and the transforms, of the sink only what makes records, and post-commit stages,
 * of which the primary process asks for single attempts.
 */
export const frontPipeline = (
  config: CheckedConfig,
  checked: CheckedPipeline,
  surroundings: Omit<Surroundings, 'state'>,
  running?: Pipeline,
  anew?: (stage: BuiltStage) => boolean,
): Pipeline => assemblePipeline(config, frontOf(checked), surroundings, () => noLedger, running, anew)

const frontOf = ({ sink, postCommit, ...checked }: CheckedPipeline): CheckedPipeline => ({
  ...checked,
  sink: { ...sink, definition: wrapped(sink.definition, recordMaker) },
  postCommit: postCommit.map((stage) => ({ ...stage, definition: wrapped(stage.definition, finishing) })),
})

/** Always the same for one definition: by that a reload knows a stage again. */
const known = new WeakMap<object, object>()

function wrapped<Made extends { readonly create: unknown }>(
  definition: Made,
  wrap: (create: Made['create']) => Made['create'],
): Made {
  const its = known.get(definition) ?? { ...definition, create: wrap(definition.create) }
  known.set(definition, its)
  return its as Made
}

type CreateSink = CheckedStage<'sink'>['definition']['create']
type CreatePostCommit = CheckedStage<'post-commit'>['definition']['create']

const recordMaker =
  (create: CreateSink): CreateSink =>
  (config, context) => {
    const sink = create(config, context)
    return {
      expect() {},
      record: (event, headers) => sink.record(event, headers),
      key: (event) => sink.key(event),
      headers: (event) => sink.headers?.(event) ?? [],
      stop: async () => sink.stop?.(),
      send: () =>
        Promise.reject(
          new HeadgateError('HG_PLUGIN_FAILED', 'A worker writes no records: its primary process does.'),
        ),
    } satisfies Sink
  }

/** The acknowledger here knows of no attempt, so it is the stage that waits for those under way before it is stopped. */
const finishing =
  (create: CreatePostCommit): CreatePostCommit =>
  (config, context) => {
    const postCommit = create(config, context)
    let active = 0
    let onIdle = (): void => {}
    return {
      start: async () => postCommit.start?.(),
      notReady: () => postCommit.notReady?.() ?? [],
      async acknowledge(committed) {
        active++
        try {
          return await postCommit.acknowledge(committed)
        } finally {
          if (--active === 0) onIdle()
        }
      },
      async stop() {
        if (active > 0) {
          await new Promise<void>((resolve) => {
            onIdle = resolve
          })
        }
        await postCommit.stop?.()
      },
    } satisfies PostCommit
  }
