import { asHeadgateError } from '../contract/errors.js'
import type { Event, JsonBody } from '../contract/index.js'
import type { Handed } from '../pipeline/handed.js'
import type { Decision, Refusal, StagePlace } from '../pipeline/observe.js'
import type { Passage } from '../pipeline/passage.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import { HandedBody } from './handed-body.js'
import { HandedRequest } from './handed-request.js'
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
 * An event as a worker hands it over. Beside it go bytes: the body as it was received, the key of the record where it has
 * one, and its value where it is no part of the body.
 */
export interface EventMessage {
  readonly kind: 'event'
  /** By which its outcome is told. */
  readonly number: number
  /** The generation of the config that it is under, and the pipeline's place in it. */
  readonly generation: number
  readonly pipeline: number
  /** On the shared clock. */
  readonly startedAt: number
  /** Absent where the sender gave none and nobody has asked for one. */
  readonly requestId?: string
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
  /** The stage that ended last, and whether its failure is in the log. */
  readonly stage?: string | undefined
  readonly logged?: true
  /** Milliseconds in each stage that took notably long. */
  readonly stages?: { readonly [stage: string]: number }
  readonly refused?: { readonly kind: Refusal['kind']; readonly error: ErrorText }
  readonly decided?: DecidedMessage
}

interface DecidedMessage {
  readonly id: string
  readonly receivedAt: number
  readonly digest: string
  readonly record?: RecordMessage
  /** Why no record could be made of an event that passed. */
  readonly noRecord?: ErrorText
  readonly route?: Event['route']
  readonly turnedAway?: {
    readonly kind: 'drop' | 'dead-letter' | Refusal['kind']
    readonly error?: ErrorText
    readonly place?: StagePlace
  }
}

/** What tells an event from all others of its worker. */
type Address = Pick<EventMessage, 'number' | 'generation' | 'pipeline'>

/** `requestId`: the one that is known. */
export function toEventMessage(
  { number, generation, pipeline }: Address,
  handed: Handed,
  passage: Passage,
  requestId: string | undefined,
): { readonly message: EventMessage; readonly parts: readonly Buffer[] } {
  const { stages, stage, failureLogged, request } = passage
  const traced = handed.kind === 'refused' ? request : handed.received
  const common = {
    kind: 'event',
    number,
    generation,
    pipeline,
    startedAt: toSharedClock(passage.startedAt),
    stage,
    traceparent: traced?.traceparent,
    tracestate: traced?.tracestate,
    ...(requestId !== undefined && { requestId }),
    ...(failureLogged && { logged: true as const }),
    ...(hasAny(stages) && { stages }),
  } as const
  if (handed.kind === 'refused') {
    const { kind, error } = handed.refusal
    return { message: { ...common, refused: { kind, error: toErrorText(error) } }, parts: [] }
  }
  const { received, digest, decision } = handed
  const { id, receivedAt, body } = received
  const decided = { id, receivedAt, digest }
  if (decision.kind !== 'pass') {
    const turnedAway = {
      kind: decision.kind,
      ...('error' in decision && { error: toErrorText(decision.error) }),
      ...('place' in decision && { place: decision.place }),
    }
    return { message: { ...common, decided: { ...decided, turnedAway } }, parts: [body.bytes] }
  }
  const { route } = decision.given
  const routed = route === undefined ? decided : { ...decided, route }
  try {
    const { record, parts } = toRecordMessage(handed.record(decision.given), body.bytes, route)
    return { message: { ...common, decided: { ...routed, record } }, parts }
  } catch (thrown) {
    const noRecord = toErrorText(asHeadgateError(thrown, 'The sink'))
    return { message: { ...common, decided: { ...routed, noRecord } }, parts: [body.bytes] }
  }
}

function hasAny(stages: object): boolean {
  for (const _ in stages) return true
  return false
}

/** The event as the back of the path takes it, and its passage as it went on in the worker. */
export function fromEventMessage(
  message: EventMessage,
  parts: readonly Buffer[],
  { traffic }: Pipeline,
): { readonly handed: Handed; readonly passage: Passage; readonly request: HandedRequest } {
  const request = new HandedRequest(message)
  const passage = traffic.begin(request, fromSharedClock(message.startedAt))
  passage.failureLogged = message.logged ?? false
  for (const stage in message.stages) passage.took(stage, message.stages[stage] as number)
  passage.stage = message.stage
  const handed = toHanded(message, parts)
  if (handed.kind === 'decided') passage.event = handed.received
  return { handed, passage, request }
}

function toHanded({ refused, decided, ...message }: EventMessage, parts: readonly Buffer[]): Handed {
  if (refused !== undefined || decided === undefined) {
    const { kind, error } = refused as NonNullable<typeof refused>
    return { kind: 'refused', refusal: { kind, error: fromErrorText(error) } }
  }
  const { digest, route, turnedAway, record, noRecord } = decided
  const received = toEvent(decided, message, new HandedBody(parts[0] as Buffer))
  const decision: Decision<Event> =
    turnedAway === undefined ? { kind: 'pass', given: withRoute(received, route) } : toDecision(turnedAway)
  return {
    kind: 'decided',
    received,
    digest,
    decision,
    record() {
      if (record === undefined) throw fromErrorText(noRecord as ErrorText)
      return toRecord(record, parts, route)
    },
  }
}

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

/** Written out, because a spread makes an object of V8's slow kind of each event. */
function withRoute(received: Event, route: Event['route']): Event {
  if (route === undefined) return received
  const { id, body, receivedAt, traceparent, tracestate } = received
  if (traceparent === undefined) return { id, body, receivedAt, route }
  return tracestate === undefined
    ? { id, body, receivedAt, traceparent, route }
    : { id, body, receivedAt, traceparent, tracestate, route }
}

function toDecision({ kind, error, place }: NonNullable<DecidedMessage['turnedAway']>): Decision<never> {
  if (kind === 'drop' || error === undefined) return { kind: 'drop' }
  if (kind !== 'dead-letter') return { kind, error: fromErrorText(error) }
  return { kind, error: fromErrorText(error), place: place as StagePlace }
}
