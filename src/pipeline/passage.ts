import type { Correlation, Event } from '../contract/index.js'

/** What is kept beside one event until its path ends, so that the log can say which one it was and where its time went. */
export class Passage {
  /** As it was when its last stage began; undefined until it is an event. */
  event: Event | undefined = undefined
  /** A stage has logged why it goes no further. */
  failureLogged = false
  /** The last stage that has ended. */
  stage: string | undefined = undefined
  private long: { [stage: string]: number } | undefined = undefined

  /** `notable`: milliseconds from which the time in a stage is kept. */
  constructor(
    readonly request: Correlation | undefined,
    readonly startedAt: number,
    private readonly notable: number,
  ) {}

  took(stage: string, ms: number): void {
    this.stage = stage
    if (ms < this.notable) return
    this.long ??= {}
    this.long[stage] = ms
  }

  /** Milliseconds in each stage that took notably long, in their order. */
  get stages(): { readonly [stage: string]: number } {
    return this.long ?? {}
  }
}

/** The fields of a log line by which the event is found: in the answer of its sender, in Kafka, and in traces. */
export function correlationFields(
  event: Pick<Event, 'id' | 'traceparent'> | undefined,
  request?: Correlation,
): { readonly id: string | undefined; readonly request_id?: string; readonly trace_id?: string } {
  const traceparent = event?.traceparent ?? request?.traceparent
  return {
    id: event?.id,
    ...(request !== undefined && { request_id: request.requestId }),
    ...(traceparent !== undefined && { trace_id: traceIdOf(traceparent) }),
  }
}

/** In the name that OpenTelemetry gives it in logs. */
const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35)
