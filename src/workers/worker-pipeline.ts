import type { CheckedPipeline, CheckedStage } from '../config/check.js'
import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { PostCommit, Sink } from '../contract/index.js'
import { noLedger } from '../ledger/ledger.js'
import { assemblePipeline, type PipelineDeps } from '../pipeline/build.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import type { BuiltStage } from '../pipeline/stage.js'

/**
 * Builds the pipeline of a worker. Its sink only makes records, since the primary process writes them. Its post-commit stages
 * make single attempts when the primary process asks for them.
 */
export const buildWorkerPipeline = (
  config: CheckedConfig,
  checked: CheckedPipeline,
  deps: Omit<PipelineDeps, 'state'>,
  running?: Pipeline,
  isRestarted?: (stage: BuiltStage) => boolean,
): Pipeline => assemblePipeline(config, workerStages(checked), deps, () => noLedger, running, isRestarted)

const workerStages = ({ sink, postCommit, ...checked }: CheckedPipeline): CheckedPipeline => ({
  ...checked,
  sink: { ...sink, definition: wrapped(sink.definition, recordsOnly) },
  postCommit: postCommit.map((stage) => ({
    ...stage,
    definition: wrapped(stage.definition, drainBeforeStop),
  })),
})

/** One wrapper for each definition: a reload keeps a stage only if its definition is the same object. */
const wrappedDefinitions = new WeakMap<object, object>()

function wrapped<Made extends { readonly create: unknown }>(
  definition: Made,
  wrap: (create: Made['create']) => Made['create'],
): Made {
  const wrapper = wrappedDefinitions.get(definition) ?? { ...definition, create: wrap(definition.create) }
  wrappedDefinitions.set(definition, wrapper)
  return wrapper as Made
}

type CreateSink = CheckedStage<'sink'>['definition']['create']
type CreatePostCommit = CheckedStage<'post-commit'>['definition']['create']

const recordsOnly =
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

/** The acknowledger of a worker has no attempts, so the stage itself waits for those under way before it stops. */
const drainBeforeStop =
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
