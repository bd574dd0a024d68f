import { randomUUID } from 'node:crypto'
import type { Correlation, Handshake } from '../contract/index.js'
import {
  type DecidedMessage,
  fromDecidedMessage,
  fromRefusalMessage,
  type RefusalMessage,
  toDecidedMessage,
  toRefusalMessage,
} from '../pipeline/decided-message.js'
import type { Decided } from '../pipeline/decision.js'
import type { EventContext, StageTime } from '../pipeline/event-log.js'
import type { Traffic } from '../pipeline/traffic.js'
import { fromSharedClock, toSharedClock } from './wire.js'

/**
 * A decided event on its way from a worker to the primary process. Its parts are bytes: the body as it was received, the key
 * of the record if it has one, and the value of the record if it is not a part of the body.
 */
export interface EventMessage {
  readonly kind: 'event'
  /** Identifies it in the message with its outcome. */
  readonly number: number
  /** The generation of its config, and the index of the pipeline in it. */
  readonly generation: number
  readonly pipeline: number
  /** On the shared clock. */
  readonly startedAt: number
  /** Absent if the sender sent none and no id was created yet. */
  readonly requestId?: string
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
  /** Of the sender; only if somebody watches, or the request did not become an event. */
  readonly remoteAddress?: string
  /** The stage that ended last. */
  readonly stage?: string | undefined
  /** Stages that took notably long. */
  readonly times?: readonly StageTime[]
  readonly refused?: RefusalMessage
  readonly handshake?: Handshake
  readonly decided?: DecidedMessage
}

/** Identifies an event among all events of a worker. */
type Address = Pick<EventMessage, 'number' | 'generation' | 'pipeline'>

/** `requestId`: undefined if the request has none yet. */
export function toEventMessage(
  { number, generation, pipeline }: Address,
  decided: Decided,
  { startedAt, stage, times, request, isWatched }: EventContext,
  requestId: string | undefined,
): { readonly message: EventMessage; readonly parts: readonly Buffer[] } {
  const { event } = decided
  const traced = event ?? request
  const remoteAddress = event === undefined || isWatched ? request?.remoteAddress : undefined
  const common = {
    kind: 'event',
    number,
    generation,
    pipeline,
    startedAt: toSharedClock(startedAt),
    stage,
    traceparent: traced?.traceparent,
    tracestate: traced?.tracestate,
    ...(requestId !== undefined && { requestId }),
    ...(remoteAddress !== undefined && { remoteAddress }),
    ...(times.length > 0 && { times }),
  } as const
  if (event === undefined) {
    const { verdict } = decided
    const rest =
      verdict.kind === 'handshake' ? { handshake: verdict } : { refused: toRefusalMessage(verdict) }
    return { message: { ...common, ...rest }, parts: [] }
  }
  const { message, parts } = toDecidedMessage(decided)
  return { message: { ...common, decided: message }, parts }
}

/** The event as `commit` takes it, and its context as it was in the worker. */
export function fromEventMessage(
  message: EventMessage,
  parts: readonly Buffer[],
  traffic: Pick<Traffic, 'begin'>,
): { readonly decided: Decided; readonly context: EventContext; readonly request: RemoteRequest } {
  const request = new RemoteRequest(message)
  const context = traffic.begin(request, fromSharedClock(message.startedAt))
  if (message.times !== undefined) context.addTimes(message.times)
  context.stage = message.stage
  const decided = toDecided(message, parts)
  context.event = decided.event
  // The stage that failed has logged it in the worker.
  if ('error' in decided.verdict) context.failure = decided.verdict.error
  return { decided, context, request }
}

function toDecided(message: EventMessage, parts: readonly Buffer[]): Decided {
  const { decided, handshake, refused } = message
  if (decided !== undefined) return fromDecidedMessage(decided, message, parts)
  return { event: undefined, verdict: handshake ?? fromRefusalMessage(refused as RefusalMessage) }
}

/** The request of an event in the primary process. If the log here is the first to need an id, the outcome carries it back. */
export class RemoteRequest implements Correlation {
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
  readonly remoteAddress: string | undefined
  #id: string | undefined

  constructor({
    requestId,
    traceparent,
    tracestate,
    remoteAddress,
  }: Pick<EventMessage, 'requestId' | 'traceparent' | 'tracestate' | 'remoteAddress'>) {
    this.#id = requestId
    this.traceparent = traceparent
    this.tracestate = tracestate
    this.remoteAddress = remoteAddress
  }

  get requestId(): string {
    this.#id ??= randomUUID()
    return this.#id
  }

  /** Undefined if there is none yet. */
  get existingId(): string | undefined {
    return this.#id
  }
}
