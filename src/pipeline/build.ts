import type { RootDatabase } from 'lmdb'
import type { HttpListener, Log, PostCommit, Sink, Source, Target, Transform } from '../plugin.js'
import { milliseconds } from '../units.js'
import type { Acknowledger } from './acknowledge.js'
import { buildAcknowledger } from './build-acknowledger.js'
import { buildDelivery, create, type DeliverySurroundings } from './build-delivery.js'
import type { CheckedPipeline } from './config/check.js'
import type { CheckedConfig } from './config/read.js'
import { durableLedger } from './ledger/durable-ledger.js'
import type { Ledger, Owing } from './ledger/ledger.js'
import { openPipelineState } from './ledger/pipeline-state.js'
import type { MetricsRegistry } from './metrics.js'
import { type Apply, observeSink, observeSource, type Receive, type Send } from './observe.js'
import { createTraffic, type Traffic } from './traffic.js'

/** A pipeline put together: the wrapped stages as `run.ts` calls them, and the plugins as `lifecycle.ts` does. */
export interface Pipeline {
  readonly name: string
  readonly revision: string
  readonly log: Log
  readonly receive: Receive
  readonly transforms: readonly Apply[]
  readonly send: Send
  readonly deadLetters: { readonly target: Target; readonly send: Send } | undefined
  readonly ledger: Ledger
  readonly traffic: Traffic
  readonly acknowledgers: readonly Acknowledger[]
  readonly source: Source
  readonly sink: Sink
  readonly plugins: { readonly transforms: readonly Transform[]; readonly postCommit: readonly PostCommit[] }
}

/** What the process lends to its pipelines. */
export interface Surroundings extends DeliverySurroundings {
  http(pipeline: string): HttpListener
  /** The database in the state directory. */
  readonly state: RootDatabase
}

/** Puts a checked pipeline together. Pure: opens no connection and takes no event. */
export function buildPipeline(
  config: CheckedConfig,
  checked: CheckedPipeline,
  surroundings: Surroundings,
): Pipeline {
  const { settings } = checked
  const { metrics, signal } = surroundings
  const delivery = buildDelivery(config, checked, surroundings)
  const { name, revision, transforms, sink, sinkStage, stage } = delivery
  sink.expect(delivery.targets)
  const sourceStage = stage(`source.${checked.source.definition.name}`, checked.source.definition.name)
  const source = create(checked.source, { ...sourceStage.context, http: surroundings.http(name) })

  const { redelivery, maxPending, deadLetter } = settings
  const window = milliseconds(redelivery.window)
  const { entries } = redelivery
  const ledger = durableLedger({
    pipeline: name,
    openState: () => openPipelineState(surroundings.state, name, { window, entries }),
    log: sink.log,
    logger: surroundings.log({ pipeline: name, stage: 'ledger' }),
    window,
    entries,
    maxPending,
    stages: checked.postCommit.length,
    signal,
  })
  const postCommit = checked.postCommit.map((postCommit, index) => {
    const plugin = postCommit.definition.name
    const { place, observer, context } = stage(`post-commit.${index}.${plugin}`, plugin)
    const instance = create(postCommit, context)
    return {
      instance,
      acknowledger: buildAcknowledger({ index, place, observer, instance, ledger }, settings),
    }
  })

  const deadLetters = stage('dead-letter', checked.sink.definition.name)
  const failing = [...transforms.map(({ place }) => place.stage), sinkStage.place.stage]
  const log = surroundings.log({ pipeline: name })
  observeBacklog(name, ledger, metrics)
  return {
    name,
    revision,
    log,
    receive: observeSource(sourceStage.place, sourceStage.observer),
    transforms: transforms.map(({ apply }) => apply),
    send: observeSink(sinkStage.place, sink, sinkStage.observer),
    deadLetters: deadLetter && {
      target: deadLetter,
      send: observeSink(deadLetters.place, sink, deadLetters.observer),
    },
    ledger,
    traffic: createTraffic(name, failing, metrics, log),
    acknowledgers: postCommit.map(({ acknowledger }) => acknowledger),
    source,
    sink,
    plugins: {
      transforms: transforms.map(({ instance }) => instance),
      postCommit: postCommit.map(({ instance }) => instance),
    },
  }
}

function observeBacklog(pipeline: string, ledger: Ledger, metrics: MetricsRegistry): void {
  const since = (time: number | undefined) => (time === undefined ? 0 : (Date.now() - time) / 1000)
  const sampled = (name: string, help: string, read: (owing: Owing) => number) =>
    metrics.sampled(name, help, { pipeline }, () => read(ledger.backlog()))
  sampled('ledger_pending', 'Events that are durable and not yet acknowledged.', ({ count }) => count)
  sampled('ledger_oldest_pending_seconds', 'Age of the oldest of them.', ({ oldest }) => since(oldest))
  sampled('ledger_failed', 'Acknowledgements that were given up.', ({ failed }) => failed)
  sampled('ledger_window_seconds', 'How far back redeliveries are recognised.', ({ remembersSince }) =>
    since(remembersSince),
  )
}
