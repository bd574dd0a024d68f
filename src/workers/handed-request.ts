import { randomUUID } from 'node:crypto'
import type { Correlation } from '../contract/index.js'
import type { EventMessage } from './event-message.js'

/** The request of an event; an id is made for it where the log here asks first, and goes back with the outcome. */
export class HandedRequest implements Correlation {
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
  private id: string | undefined

  constructor({
    requestId,
    traceparent,
    tracestate,
  }: Pick<EventMessage, 'requestId' | 'traceparent' | 'tracestate'>) {
    this.id = requestId
    this.traceparent = traceparent
    this.tracestate = tracestate
  }

  get requestId(): string {
    this.id ??= randomUUID()
    return this.id
  }

  /** Undefined where there is none yet. */
  get knownId(): string | undefined {
    return this.id
  }
}
