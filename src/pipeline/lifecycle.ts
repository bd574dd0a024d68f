import { HeadgateError } from '../contract/errors.js'
import { type Correlation, type Event, type Handshake, type Intake, isHandshake } from '../contract/index.js'
import type { Ledger } from '../ledger/ledger.js'
import { untilAborted } from '../lib/async.js'
import type { MetricsScope } from '../metrics/registry.js'
import type { Acknowledger } from './acknowledge.js'
import { run } from './path.js'
import {
  type AttemptingStage,
  type BuiltSource,
  type LivePipeline,
  type Pipeline,
  stagesOf,
} from './pipeline.js'
import type { BuiltStage } from './stage.js'
import type { TargetState } from './target-state.js'

interface PartBase {
  readonly metrics: MetricsScope
  /** Rejects if it can never work. A part that may yet work (Kafka is down) gives its reason in `notReady`. */
  start(): Promise<void> | void
  /** Finishes the work under way. May be called without `start`. */
  stop(isTakenOver?: boolean): Promise<void> | undefined
  notReady(): readonly string[]
  /** Resolves once `notReady` is empty. */
  ready(): Promise<void> | undefined
}

/** A part of a pipeline that starts and stops by itself. A reload keeps it if both configs have the same `subject`. */
export type Part = PartBase &
  (
    | { readonly kind: 'stage'; readonly subject: BuiltStage<'post-commit' | 'sink' | 'transform'> }
    | { readonly kind: 'ledger'; readonly subject: Ledger }
    | { readonly kind: 'acknowledger'; readonly subject: Acknowledger }
    | { readonly kind: 'source'; readonly subject: BuiltSource }
  )

/**
 * The parts of a pipeline, downstream first. A source starts when all others run, so that no event reaches one that does not; the
 * steps stop in the reverse order, the parts of one step together. This is the one list of parts.
 */
export function partsInSteps(pipeline: LivePipeline): readonly (readonly Part[])[] {
  if (pipeline.role === 'supervised')
    return partsInSteps(pipeline.blueprint).map((step) => step.map(idlePart))
  const { source, transforms, sink, postCommit } = pipeline.stages
  const sourcePart: Part = {
    kind: 'source',
    subject: source,
    metrics: source.metrics,
    start: () => source.instance.start(intakeOf(source)),
    stop: () => source.instance.stop(),
    ...ALWAYS_READY,
  }
  if (pipeline.role === 'deciding')
    return [
      [...pipeline.stages.postCommit.map(attemptingPart), recordMakerPart(sink)],
      transforms.map(stagePart),
      [sourcePart],
    ]
  return [
    [...postCommit.map(stagePart), stagePart(sink)],
    [ledgerPart(pipeline)],
    transforms.map(stagePart),
    acknowledgerParts(pipeline),
    [sourcePart],
  ]
}

const stagePart = (stage: BuiltStage<'post-commit' | 'sink' | 'transform'>): Part => ({
  kind: 'stage',
  subject: stage,
  metrics: stage.metrics,
  start: () => stage.instance.start?.(),
  stop: () => stage.instance.stop?.(),
  notReady: () => stage.instance.notReady?.() ?? [],
  ready: () => stage.instance.ready?.(),
})

const ledgerPart = ({ ledger, runtime }: Pipeline): Part => ({
  kind: 'ledger',
  subject: ledger,
  metrics: runtime.metrics,
  start: () => ledger.start(),
  stop: (isTakenOver) => ledger.stop(isTakenOver),
  notReady: () => ledger.notReady(),
  ready: () => ledger.ready(),
})

const acknowledgerParts = (pipeline: Pipeline): Part[] =>
  pipeline.acknowledgers.map(({ acknowledger, metrics }) => ({
    kind: 'acknowledger',
    subject: acknowledger,
    metrics,
    start: () => acknowledger.start(isHeld(pipeline)),
    stop: () => acknowledger.stop(),
    ...ALWAYS_READY,
  }))

/** In a worker: the primary process makes the attempts' schedule, so the stage itself waits for those under way. */
const attemptingPart = (stage: AttemptingStage): Part => ({
  ...stagePart(stage),
  async stop() {
    await stage.attempts.drained()
    await stage.instance.stop?.()
  },
})

/** In a worker: the sink connects to nothing, and only makes records. */
const recordMakerPart = (sink: BuiltStage<'sink'>): Part => ({
  ...stagePart(sink),
  start() {},
  ...ALWAYS_READY,
})

/** In the primary process, of a pipeline that the workers have whole. */
const idlePart = (part: Part): Part => ({ ...part, start() {}, ...ALWAYS_READY })

const ALWAYS_READY: Pick<Part, 'notReady' | 'ready'> = { notReady: () => [], ready: () => undefined }

/** A transition starts and stops acknowledgers and sources: they run only while the pipeline takes events. */
const hasOwnLife = ({ kind }: Part): boolean => kind === 'stage' || kind === 'ledger'

/**
 * Starts stages and ledgers, all at once: no event comes before a source starts, and a ledger that catches up does not wait for the
 * first response to the sink. When it rejects, each has started or failed, so that a stop finds none half started.
 */
export async function startParts(steps: readonly (readonly Part[])[]): Promise<void> {
  await settleAll(
    steps
      .flat()
      .filter(hasOwnLife)
      .map(async (part) => part.start()),
  )
}

/** Stops stages and ledgers, in the reverse of the start order. */
export async function stopParts(
  steps: readonly (readonly Part[])[],
  deadline: AbortSignal,
  isTakenOver = false,
): Promise<void> {
  for (const step of steps.toReversed()) {
    const stopped = step
      .filter(hasOwnLife)
      // The stop of a ledger is never cut short: it writes to a local disk, and closing the store meanwhile would lose the writes.
      .map((part) => (part.kind === 'ledger' ? part.stop(isTakenOver) : untilAborted(part.stop(), deadline)))
    await Promise.all(stopped)
  }
}

/** Waits until these parts can take events, or `signal` is aborted. Returns the reasons why they cannot, one sentence each. */
export async function untilReady(
  steps: readonly (readonly Part[])[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  await untilAborted(Promise.all(steps.flat().map((part) => part.ready())), signal)
  return notReady(steps)
}

/** Reasons why these parts cannot take events now, one sentence each. */
export const notReady = (steps: readonly (readonly Part[])[]): string[] =>
  steps.flat().flatMap((part) => part.notReady())

/** An event stays under one config from beginning to end: the one that is current when it arrives. */
export function intakeOf({ intake }: Pick<BuiltSource, 'intake'>): Intake {
  const take = (receive: () => Event | Handshake, request: Correlation | undefined) => {
    const pipeline = intake.current as LivePipeline
    const isRunning = pipeline.runtime.targetState === 'RUNNING'
    return run(pipeline, isRunning ? receive : () => refuseWhilePaused(receive), request)
  }
  return (receive, request) =>
    intake.barrier === undefined ? take(receive, request) : intake.barrier.then(() => take(receive, request))
}

/** A sender that is not authenticated must not learn that the pipeline is paused. A handshake brings no event to write. */
function refuseWhilePaused(receive: () => Event | Handshake): Handshake {
  const received = receive()
  if (isHandshake(received)) return received
  throw new HeadgateError('HG_INTAKE_PAUSED', 'The pipeline is paused.', { retryAfter: PAUSED_RETRY_AFTER })
}

/** Seconds. The length of the pause is unknown, and senders must not give up. */
const PAUSED_RETRY_AFTER = 30

/** Takes effect at once, under this config and those after it. Events in flight continue. */
export function setTargetState(pipeline: LivePipeline, targetState: TargetState): void {
  pipeline.runtime.targetState = targetState
  if (pipeline.role !== 'whole') return
  for (const { acknowledger } of pipeline.acknowledgers) acknowledger.hold(isHeld(pipeline))
}

/** If so, durable events wait for their acknowledgement until an operator starts the pipeline again. */
const isHeld = ({ runtime }: Pipeline): boolean => runtime.targetState === 'STOPPED'

/** From now on, metrics show the values of this pipeline. Those of a supervised one are those of the workers. */
export function showMetrics(pipeline: LivePipeline): void {
  if (pipeline.role === 'supervised') return
  pipeline.runtime.metrics.show()
  pipeline.metrics.show()
  for (const { metrics } of stagesOf(pipeline)) metrics.show()
  if (pipeline.role === 'whole') for (const { metrics } of pipeline.acknowledgers) metrics.show()
}

/** The work that a pipeline left when it stopped. */
export interface Unfinished {
  readonly pipeline: string
  /** Events that were received and had no outcome yet: their senders received no 2xx. */
  readonly inFlight: number
  /** Events that are in Kafka and not acknowledged to their sender. */
  readonly unacknowledged: number
}

/**
 * The shutdown of a pipeline, upstream first: no more events, responses for those in flight, acknowledgements, then the parts
 * stop. `deadline` ends every wait. `isTakenOver`: another process makes the remaining acknowledgements, and does not wait
 * for them with its start.
 */
export async function stopPipeline(
  pipeline: LivePipeline,
  deadline: AbortSignal,
  isTakenOver = false,
): Promise<Unfinished> {
  await untilAborted(pipeline.stages.source.instance.stop(), deadline)
  // Events under earlier configs use the same ledger, and mostly the same sink.
  const traffics = [...pipeline.runtime.live].map(({ traffic }) => traffic)
  await untilAborted(Promise.all(traffics.map((traffic) => traffic.idle())), deadline)
  if (pipeline.role === 'whole') await untilAborted(pipeline.ledger.finish(), deadline)
  for (const { acknowledger } of pipeline.role === 'whole' ? pipeline.acknowledgers : []) {
    if (isTakenOver) await untilAborted(acknowledger.stop(), deadline)
    else await acknowledger.drain(deadline)
  }
  const unfinished = {
    pipeline: pipeline.name,
    inFlight: traffics.reduce((sum, traffic) => sum + traffic.inFlight(), 0),
    unacknowledged: unacknowledgedBy(pipeline),
  }
  await stopParts(partsInSteps(pipeline), deadline, isTakenOver)
  pipeline.flushLogs()
  return unfinished
}

/** Others keep no acknowledgement. */
export const unacknowledgedBy = (pipeline: LivePipeline): number =>
  pipeline.role === 'whole' ? pipeline.ledger.backlog().count : 0

/** Rejects like `Promise.all`, but only when all have ended. */
export async function settleAll(work: readonly Promise<unknown>[]): Promise<void> {
  for (const each of await Promise.allSettled(work)) if (each.status === 'rejected') throw each.reason
}
