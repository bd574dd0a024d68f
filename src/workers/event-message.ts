import { randomUUID } from 'node:crypto'
import type { Correlation, Event, JsonBody, JsonPointer } from '../contract/index.js'
import { parseBody } from '../lib/json/body.js'
import type { Decided, EventVerdict, Refusal } from '../pipeline/decision.js'
import type { EventContext } from '../pipeline/event-log.js'
import { withRoute } from '../pipeline/path.js'
import type { Traffic } from '../pipeline/traffic.js'
import {
  type ErrorText,
  fromErrorText,
  fromSharedClock,
  type RecordMessage,
  toErrorText,
  toRecord,
  toRecordMessage,
  toSharedClock,
} from './wire.js'

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
  /** The stage that ended last. */
  readonly stage?: string | undefined
  /** Milliseconds in each stage that took notably long. */
  readonly stages?: { readonly [stage: string]: number }
  readonly refused?: RefusalMessage
  readonly decided?: DecidedMessage
}

interface DecidedMessage {
  readonly id: string
  readonly receivedAt: number
  readonly digest: string
  readonly route?: Event['route']
  readonly verdict: VerdictMessage
}

type VerdictMessage =
  | { readonly kind: 'send'; readonly record: RecordMessage }
  | { readonly kind: 'drop' }
  | RefusalMessage
  | {
      readonly kind: 'dead-letter'
      readonly record: RecordMessage
      readonly error: ErrorText
      readonly stage: string
    }

interface RefusalMessage {
  readonly kind: Refusal['kind']
  readonly error: ErrorText
}

/** Identifies an event among all events of a worker. */
type Address = Pick<EventMessage, 'number' | 'generation' | 'pipeline'>

/** `requestId`: undefined if the request has none yet. */
export function toEventMessage(
  { number, generation, pipeline }: Address,
  decided: Decided,
  { startedAt, stage, slowStages, request }: EventContext,
  requestId: string | undefined,
): { readonly message: EventMessage; readonly parts: readonly Buffer[] } {
  const { event } = decided
  const traced = event ?? request
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
    ...(slowStages !== undefined && { stages: slowStages }),
  } as const
  if (event === undefined)
    return { message: { ...common, refused: toRefusalMessage(decided.verdict) }, parts: [] }
  const { id, receivedAt, body, route } = event
  const { verdict, parts } = toVerdictMessage(decided.verdict, body.bytes, route)
  const { digest } = decided
  const routed = route === undefined ? { id, receivedAt, digest } : { id, receivedAt, digest, route }
  return { message: { ...common, decided: { ...routed, verdict } }, parts }
}

function toVerdictMessage(
  verdict: EventVerdict,
  body: Buffer,
  route: Event['route'],
): { readonly verdict: VerdictMessage; readonly parts: readonly Buffer[] } {
  switch (verdict.kind) {
    case 'send': {
      const { record, parts } = toRecordMessage(verdict.record, body, route)
      return { verdict: { kind: 'send', record }, parts }
    }
    case 'dead-letter': {
      const { record, parts } = toRecordMessage(verdict.record, body, route)
      const { kind, error, stage } = verdict
      return { verdict: { kind, record, error: toErrorText(error), stage }, parts }
    }
    case 'drop':
      return { verdict, parts: [body] }
    default:
      return { verdict: toRefusalMessage(verdict), parts: [body] }
  }
}

const toRefusalMessage = ({ kind, error }: Refusal): RefusalMessage => ({ kind, error: toErrorText(error) })

/** The event as `commit` takes it, and its context as it was in the worker. */
export function fromEventMessage(
  message: EventMessage,
  parts: readonly Buffer[],
  traffic: Pick<Traffic, 'begin'>,
): { readonly decided: Decided; readonly context: EventContext; readonly request: RemoteRequest } {
  const request = new RemoteRequest(message)
  const context = traffic.begin(request, fromSharedClock(message.startedAt))
  for (const stage in message.stages) context.took(stage, message.stages[stage] as number)
  context.stage = message.stage
  const decided = toDecided(message, parts)
  context.event = decided.event
  // The stage that failed has logged it in the worker.
  if ('error' in decided.verdict) context.failure = decided.verdict.error
  return { decided, context, request }
}

function toDecided({ refused, decided, ...message }: EventMessage, parts: readonly Buffer[]): Decided {
  if (decided === undefined) return { event: undefined, verdict: toRefusal(refused as RefusalMessage) }
  const { digest, route, verdict } = decided
  const event = withRoute(toEvent(decided, message, new LazyBody(parts[0] as Buffer)), route)
  return { event, digest, verdict: toVerdict(verdict, parts, route) }
}

function toVerdict(verdict: VerdictMessage, parts: readonly Buffer[], route: Event['route']): EventVerdict {
  switch (verdict.kind) {
    case 'send':
      return { kind: 'send', record: toRecord(verdict.record, parts, route) }
    case 'dead-letter': {
      const { kind, record, error, stage } = verdict
      return { kind, record: toRecord(record, parts, route), error: fromErrorText(error), stage }
    }
    case 'drop':
      return verdict
    default:
      return toRefusal(verdict)
  }
}

const toRefusal = ({ kind, error }: RefusalMessage): Refusal => ({ kind, error: fromErrorText(error) })

function toEvent(
  { id, receivedAt }: DecidedMessage,
  { traceparent, tracestate }: Pick<EventMessage, 'traceparent' | 'tracestate'>,
  body: JsonBody,
): Event {
  if (traceparent === undefined) return { id, body, receivedAt }
  return tracestate === undefined
    ? { id, body, receivedAt, traceparent }
    : { id, body, receivedAt, traceparent, tracestate }
}

/** The source has parsed these bytes already, with a depth limit of at most this. */
const MAX_DEPTH = 1000

/** Parsed lazily: only dead letters and taps need it. */
class LazyBody implements JsonBody {
  #parsed: JsonBody | undefined = undefined

  constructor(readonly bytes: Buffer) {}

  get value(): unknown {
    return this.#body.value
  }

  slice(pointer: JsonPointer): Buffer | undefined {
    return this.#body.slice(pointer)
  }

  get #body(): JsonBody {
    this.#parsed ??= parseBody(this.bytes, MAX_DEPTH)
    return this.#parsed
  }
}

/** The request of an event in the primary process. If the log here is the first to need an id, the outcome carries it back. */
export class RemoteRequest implements Correlation {
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
  #id: string | undefined

  constructor({
    requestId,
    traceparent,
    tracestate,
  }: Pick<EventMessage, 'requestId' | 'traceparent' | 'tracestate'>) {
    this.#id = requestId
    this.traceparent = traceparent
    this.tracestate = tracestate
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
