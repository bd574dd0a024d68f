import type { PipelineConfig } from '../../config/schema.js'
import { HeadgateError } from '../../contract/errors.js'
import type { LocatedTarget } from '../../contract/index.js'
import { untilAborted } from '../../lib/async.js'
import type { LivePipeline, Pipeline } from '../pipeline.js'
import { type PipelineChange, type Replaced, stageAfter } from './changes.js'
import { reloadFailed } from './outcome.js'

/**
 * The steps of a transition for the sink and the ledger of a pipeline that is replaced. Only a process that has the whole pipeline
 * takes them: others write no records.
 */

export const isWhole = (change: PipelineChange): change is PipelineChange<Pipeline> =>
  (change.kind === 'removed' ? change.running : change.next).role === 'whole'

/** Called once the next sink runs: it must be able to write, and the ledger must know the records in its targets. */
export async function prepareSink(change: Replaced<Pipeline>, signal: AbortSignal): Promise<void> {
  const { name, running, next, hasOtherSink } = change
  requireSameInbox(change)
  const { live } = next.runtime
  const { sink } = next.stages
  if (hasOtherSink) {
    // Sinks are replaced one at a time: only the sink that sent a record can tell its outcome.
    const older = [...live].filter((pipeline) => pipeline !== running)
    if ((await inFlightOf(older, signal)) > 0)
      throw reloadFailed(`${name}: Cannot replace the sink: events of an older config are still in flight.`)
  } else if (hasNewTargets(change)) {
    await sink.instance.check?.(next.targets)
    expectTargets(next, [...live, next])
  } else return
  // Partitions without a checkpoint may hold records of this pipeline, from an earlier config whose state was lost. They
  // are read before the first event, or a redelivery would become a second record. Partitions with a checkpoint need no
  // reading: every record that was written there since was reported to this process.
  const { log } = next.terms
  if (log !== undefined) await next.ledger.catchUp(log)
}

/** Partitions that an instance owns, and their index, are those of one inbox. */
function requireSameInbox({ name, running, next }: Replaced<Pipeline>): void {
  const before = running.settings
  const after = next.settings
  requireSameInboxTopic(name, before, after)
  requireSameTopics(name, topicsOf(running), topicsOf(next))
  if (
    (after.inbox !== undefined || topicsOf(next) !== undefined) &&
    before.redelivery.by !== after.redelivery.by
  )
    throw new HeadgateError(
      'HG_RELOAD_RESTART',
      `${name}: "redelivery.by" changes, and the pipeline has an inbox or takes its events from topics.`,
    )
}

export function requireSameInboxTopic(
  pipeline: string,
  before: Pick<PipelineConfig, 'inbox'>,
  after: Pick<PipelineConfig, 'inbox'>,
): void {
  if (before.inbox?.topic === after.inbox?.topic) return
  throw new HeadgateError(
    'HG_RELOAD_RESTART',
    `${pipeline}: The inbox of the pipeline changes, from ${topicOf(before.inbox)} to ${topicOf(after.inbox)}.`,
  )
}

/** Of a source whose events are records. */
export const topicsOf = ({ stages }: Pick<LivePipeline, 'stages'>): readonly string[] | undefined =>
  stages.source.instance.records?.topics

export function requireSameTopics(
  pipeline: string,
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
): void {
  const [was, becomes] = [before, after].map(
    (topics) => topics?.map((topic) => `"${topic}"`).join(', ') ?? 'none',
  )
  if (was !== becomes)
    throw new HeadgateError(
      'HG_RELOAD_RESTART',
      `${pipeline}: The topics of the source change, from ${was} to ${becomes}.`,
    )
}

const topicOf = (inbox: { readonly topic: string } | undefined): string =>
  inbox === undefined ? 'none' : `topic "${inbox.topic}"`

/** Called between two events: throws if the ledger cannot go on with the log of the next sink. */
export function requireMovable({ name, running, next }: Replaced<Pipeline>): void {
  if (running.ledger.canMoveTo(next.terms.log)) return
  throw reloadFailed(
    `${name}: Cannot replace the sink: the ledger is still finding out which records it has written.`,
  )
}

export function changeLedger({ running, next }: Replaced<Pipeline>): void {
  next.ledger.change(next.terms, stageAfter(running.settings.postCommit, next.settings.postCommit))
}

/** Waits for the outcome of every record that was sent: only the targets of that config can tell it. */
export async function outcomesKnown({ ledger, terms }: Pipeline, deadline: AbortSignal): Promise<void> {
  // A ledger that is stopped meanwhile has no outcome to wait for.
  const ready = () => ledger.ready().catch(() => {})
  while (!deadline.aborted && !ledger.canMoveTo(terms.log)) await untilAborted(ready(), deadline)
}

/** Sets the targets of a sink: those of every config with events in flight, each with its newest location. */
export function expectTargets(
  { stages, runtime }: Pipeline,
  pipelines: readonly LivePipeline[] = [...runtime.live],
): void {
  const own = pipelines.filter(
    (pipeline): pipeline is Pipeline => pipeline.role === 'whole' && pipeline.stages.sink === stages.sink,
  )
  const targets = new Map(
    own.flatMap((pipeline) => pipeline.targets.map((target) => [nameOfTarget(target), target])),
  )
  stages.sink.instance.expect([...targets.values()])
}

/** Waits until no event is in flight, or `signal` is aborted; returns how many are. */
export async function inFlightOf(pipelines: readonly LivePipeline[], signal: AbortSignal): Promise<number> {
  await untilAborted(Promise.all(pipelines.map(({ traffic }) => traffic.idle())), signal)
  return pipelines.reduce((sum, { traffic }) => sum + traffic.inFlight(), 0)
}

/** The next config can write to targets that the running one cannot. */
function hasNewTargets({ running, next }: Replaced<Pipeline>): boolean {
  const targets = new Set(running.targets.map(nameOfTarget))
  return next.targets.some((target) => !targets.has(nameOfTarget(target)))
}

const nameOfTarget = ({ target }: LocatedTarget): string => `${target.topic} ${target.partition ?? ''}`
