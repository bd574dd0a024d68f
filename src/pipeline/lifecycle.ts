import { HeadgateError } from '../contract/errors.js'
import type { Correlation, Event, Intake } from '../contract/index.js'
import { untilAborted } from '../lib/async.js'
import { run, runFront } from './path.js'
import { type BuiltPostCommit, type BuiltSource, type Pipeline, stagesOf } from './pipeline.js'
import type { TargetState } from './target-state.js'
import { runWatched } from './watched.js'

/**
 * Starts downstream first, so that nothing is taken before there is a place for it. Rejects where a stage cannot ever
 * work; what may yet come (Kafka down) is not an error but a reason in `notReady`.
 */
export async function startPipeline(pipeline: Pipeline): Promise<void> {
  await startDownstream(pipeline)
  const { source, transforms, postCommit } = pipeline.stages
  for (const { acknowledger } of postCommit) acknowledger.start(isHeld(pipeline))
  for (const { instance } of transforms) await instance.start?.()
  showMetrics(pipeline)
  pipeline.runtime.live.add(pipeline)
  source.feed.to = pipeline
  await source.instance.start(intakeOf(source))
}

/**
 * What is behind the transforms, side by side: a sink waits for its cluster, which leaves time for others to load what they
 * need. Ends when all have ended, so that a stop finds nothing half started.
 */
async function startDownstream({ stages, ledger }: Pipeline): Promise<void> {
  const startLog = async (): Promise<void> => {
    await stages.sink.instance.start?.()
    await ledger.start()
  }
  const startOne = async ({ stage }: BuiltPostCommit): Promise<void> => stage.instance.start?.()
  const started = await Promise.allSettled([startLog(), ...stages.postCommit.map(startOne)])
  for (const each of started) if (each.status === 'rejected') throw each.reason
}

/** An event is wholly under one config: that which its source feeds when it comes. */
export function intakeOf({ feed }: Pick<BuiltSource, 'feed'>): Intake {
  const take = (receive: () => Event, request: Correlation | undefined) => {
    const pipeline = feed.to as Pipeline
    const { targetState, taps, handOver } = pipeline.runtime
    const taken = targetState === 'RUNNING' ? receive : () => turnedAway(receive)
    if (handOver !== undefined) return runFront(pipeline, taken, request, handOver)
    return taps.size === 0 ? run(pipeline, taken, request) : runWatched(pipeline, taken, request, taps)
  }
  return (receive, request) =>
    feed.gate === undefined ? take(receive, request) : feed.gate.then(() => take(receive, request))
}

/** Whoever cannot prove who they are, is told that and nothing else. */
function turnedAway(receive: () => Event): never {
  receive()
  throw new HeadgateError('HG_INTAKE_PAUSED', 'The pipeline is paused.', { retryAfter: PAUSED_RETRY_AFTER })
}

/** Seconds. Nobody knows how long it will be, and senders must not give up. */
const PAUSED_RETRY_AFTER = 30

/** Does from now on what its operator wants, under this config and those after it. What is in flight goes on. */
export function setTargetState(pipeline: Pipeline, targetState: TargetState): void {
  pipeline.runtime.targetState = targetState
  for (const { acknowledger } of pipeline.stages.postCommit) acknowledger.hold(isHeld(pipeline))
}

/** Whether what is durable waits for its acknowledgement until the operator says otherwise. */
export const isHeld = ({ runtime }: Pipeline): boolean => runtime.targetState === 'STOPPED'

/** From now on, what it measures is what counts. */
export function showMetrics(pipeline: Pipeline): void {
  const { runtime, stages } = pipeline
  runtime.metrics.show()
  pipeline.metrics.show()
  for (const { metrics } of stagesOf(pipeline)) metrics.show()
  for (const { metrics } of stages.postCommit) metrics.show()
}

/** What was still owed when a pipeline stopped. */
export interface Left {
  readonly pipeline: string
  /** Events received whose path had not ended: their senders were not answered 2xx. */
  readonly inFlight: number
  /** Events that are in Kafka and not acknowledged to their sender. */
  readonly unacknowledged: number
}

/**
 * Stops upstream first, so that everything taken still has somewhere to go: answers what is in flight, waits for the
 * reports of Kafka, then acknowledges. `deadline` ends the waiting; what is left is returned. If another process takes over,
 * it acknowledges the rest at once, so that its start does not have to wait for that.
 */
export async function stopPipeline(
  pipeline: Pipeline,
  deadline: AbortSignal,
  isTakenOver = false,
): Promise<Left> {
  const { source, transforms, sink, postCommit } = pipeline.stages
  await untilAborted(source.instance.stop(), deadline)
  // Those under a config of before have the same ledger, and mostly the same sink.
  const traffics = [...pipeline.runtime.live].map(({ traffic }) => traffic)
  await untilAborted(Promise.all(traffics.map((traffic) => traffic.idle())), deadline)
  for (const { acknowledger } of postCommit) {
    if (isTakenOver) await untilAborted(acknowledger.stop(), deadline)
    else await acknowledger.drain(deadline)
  }
  const left = {
    pipeline: pipeline.name,
    inFlight: traffics.reduce((sum, traffic) => sum + traffic.inFlight(), 0),
    unacknowledged: pipeline.ledger.backlog().count,
  }
  for (const { instance } of transforms) await untilAborted(instance.stop?.(), deadline)
  // Never cut short: what it writes is on a local disk, and closing that under it would lose it.
  await pipeline.ledger.stop()
  await untilAborted(sink.instance.stop?.(), deadline)
  for (const { stage } of postCommit) await untilAborted(stage.instance.stop?.(), deadline)
  pipeline.flushLogs()
  return left
}

/** Why a pipeline cannot take events now, one sentence each. */
export const notReady = ({ stages, ledger }: Pipeline): string[] => {
  const { transforms, sink, postCommit } = stages
  const plugins = [...transforms, ...postCommit.map(({ stage }) => stage)].map(({ instance }) => instance)
  return [sink.instance, ledger, ...plugins].flatMap((each) => each.notReady?.() ?? [])
}
