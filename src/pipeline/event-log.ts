import type { ErrorCode, HeadgateError } from '../contract/errors.js'
import type { Correlation, Event, Handshake, Log, Outcome } from '../contract/index.js'
import type { Decision, StageRef } from './decision.js'

/** The time of an event in a stage, in milliseconds. */
export interface StageTime {
  readonly stage: string
  /** Since the event began. */
  readonly from: number
  readonly ms: number
}

/** Accompanies an event until it ends, so that the log can name the event and the stages that took its time. */
export class EventContext {
  /** As of the start of the last stage; undefined until the request has become an event. */
  event: Event | undefined = undefined
  /** The last error of a stage; the stage has logged it. */
  failure: HeadgateError | undefined = undefined
  /** The last stage that has ended. */
  stage: string | undefined = undefined
  #times: StageTime[] | undefined = undefined
  readonly #notable: number

  /** `notable`: stages that take at least this many milliseconds are recorded. */
  constructor(
    readonly request: Correlation | undefined,
    readonly startedAt: number,
    notable: number,
  ) {
    this.#notable = notable
  }

  stageEnded(
    { stage }: StageRef,
    event: Event | undefined,
    decision: Decision<unknown> | Handshake,
    ms: number,
  ): void {
    this.event = event
    if ('error' in decision) this.failure = decision.error
    this.took(stage, ms)
  }

  /** The stage has ended now. */
  took(stage: string, ms: number): void {
    this.stage = stage
    if (ms < this.#notable) return
    this.#times ??= []
    this.#times.push({ stage, from: Math.max(0, performance.now() - this.startedAt - ms), ms })
  }

  /** Whether somebody watches events: then every stage is notable. */
  get isWatched(): boolean {
    return this.#notable === 0
  }

  /** The stages that took notably long, in their order. */
  get times(): readonly StageTime[] {
    return this.#times ?? NO_TIMES
  }

  /** Of the part of the path in another process. */
  addTimes(times: readonly StageTime[]): void {
    this.#times = [...times]
  }
}

const NO_TIMES: readonly StageTime[] = []

interface CorrelationFields {
  readonly id: string | undefined
  readonly request_id?: string
  readonly remote_address?: string
  readonly trace_id?: string
}

/** The fields of a log line that identify the event in the response to its sender, in Kafka and in traces. */
export function correlationFields(
  event: Pick<Event, 'id' | 'traceparent'> | undefined,
  request?: Correlation,
): CorrelationFields {
  const traceparent = event?.traceparent ?? request?.traceparent
  const remoteAddress = request?.remoteAddress
  return {
    id: event?.id,
    ...(request !== undefined && { request_id: request.requestId }),
    ...(remoteAddress !== undefined && { remote_address: remoteAddress }),
    ...(traceparent !== undefined && { trace_id: traceIdOf(traceparent) }),
  }
}

/** By the name that OpenTelemetry uses in logs. */
const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35)

/** Lines of one kind in one window before the rest is only counted. */
const LINES = 10
const WINDOW_MS = 10_000

interface Window {
  readonly startedAt: number
  readonly timer: NodeJS.Timeout
  lines: number
  suppressed: number
}

/**
 * Logs the first few of each kind in full, and the rest of a window as a count at its end. An outage has the same message for
 * every event, and a sender of nothing but bad data must not fill the disk.
 */
class SampledLines<Kind> {
  readonly #windows = new Map<Kind, Window>()
  readonly #logRest: (kind: Kind, count: number, text: string) => void

  /** `logRest` receives how many of a kind had no line, and a text such as `4,212 more in the last 10 s`. */
  constructor(logRest: (kind: Kind, count: number, text: string) => void) {
    this.#logRest = logRest
  }

  /** Whether to log this one; counts it otherwise. */
  take(kind: Kind): boolean {
    const window = this.#windows.get(kind) ?? this.#open(kind)
    if (window.lines === LINES) {
      window.suppressed++
      return false
    }
    window.lines++
    return true
  }

  /** Logs the counts now, and leaves no timer behind. */
  flush(): void {
    for (const [kind, window] of this.#windows) this.#close(kind, window)
  }

  #open(kind: Kind): Window {
    const timer = setTimeout(() => this.#close(kind, window), WINDOW_MS).unref()
    const window = { startedAt: performance.now(), timer, lines: 0, suppressed: 0 }
    this.#windows.set(kind, window)
    return window
  }

  #close(kind: Kind, { startedAt, timer, suppressed }: Window): void {
    clearTimeout(timer)
    this.#windows.delete(kind)
    if (suppressed === 0) return
    const seconds = Math.ceil((performance.now() - startedAt) / 1000)
    this.#logRest(kind, suppressed, `${suppressed.toLocaleString('en-US')} more in the last ${seconds} s`)
  }
}

/** Logs the events that failed in one stage. */
export class FailureLog {
  readonly #log: Log
  readonly #lines: SampledLines<ErrorCode>

  constructor(log: Log) {
    this.#log = log
    this.#lines = new SampledLines((code, count, more) => log.warn({ code, count }, `and ${more}`))
  }

  /** `event` is undefined if the request did not become one. */
  failed(
    event: Pick<Event, 'id' | 'traceparent'> | undefined,
    error: HeadgateError,
    request?: Correlation,
  ): void {
    const { code, message, violations, cause } = error
    if (!this.#lines.take(code)) return
    const fields = {
      ...correlationFields(event, request),
      code,
      ...(violations.length > 0 && { violations }),
      ...(code === 'HG_PLUGIN_FAILED' && { err: cause }),
    }
    this.#log.warn(fields, message)
  }

  flush(): void {
    this.#lines.flush()
  }
}

/** Logs the handshakes that were answered: a registration is worth a line. Strangers can ask too, so there are few lines. */
export class HandshakeLog {
  readonly #log: Log
  readonly #lines: SampledLines<string>

  constructor(log: Log) {
    this.#log = log
    this.#lines = new SampledLines((form, count, more) => log.info({ form, count }, `handshakes: ${more}`))
  }

  answered({ form }: Handshake, request: Correlation | undefined): void {
    if (!this.#lines.take(form)) return
    this.#log.info({ ...correlationFields(undefined, request), form }, 'answered the handshake of a sender')
  }

  flush(): void {
    this.#lines.flush()
  }
}

/** A stage is named if it took at least this share of the time of a slow event. */
const NOTABLE_SHARE = 0.05

/** Logs slow events, so that a high percentile on a dashboard leads to an event and its trace. */
export class SlowLog {
  /** Stages that take at least this many milliseconds are recorded. */
  readonly notable: number
  readonly #log: Log
  readonly #lines: SampledLines<'slow'>

  /** `after`: milliseconds. */
  constructor(log: Log, after: number) {
    this.notable = after * NOTABLE_SHARE
    this.#log = log
    this.#lines = new SampledLines((_, count, more) => log.warn({ count }, `slow events: ${more}`))
  }

  /** For an event that took long enough. */
  ended({ event, request, times }: EventContext, outcome: Outcome, ms: number): void {
    if (!this.#lines.take('slow')) return
    const notable = times.filter((time) => time.ms >= this.notable)
    const fields = {
      ...correlationFields(event, request),
      ...(event?.route !== undefined && { route: event.route.name }),
      outcome: outcome.kind,
      ms: rounded(ms),
      stages: Object.fromEntries(notable.map((time) => [time.stage, rounded(time.ms)])),
    }
    this.#log.warn(fields, 'a slow event')
  }

  flush(): void {
    this.#lines.flush()
  }
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10
