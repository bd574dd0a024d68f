import { randomUUID } from 'node:crypto'
import type { HttpRequest } from '../contract/index.js'
import { traceparentOf, tracestateOf } from './trace-context.js'

const EMPTY = Buffer.alloc(0)
/** Visible ASCII: fit for a header of the answer, a log and a terminal. */
const REQUEST_ID = /^[!-~]{1,128}$/

/**
 * A request as a source is handed it: its head first, and then the same with its body. What few ask for is worked out when
 * they do: most events need neither an id of their request nor a trace.
 */
export class ReceivedRequest implements HttpRequest {
  body: Buffer = EMPTY
  receivedAt = 0
  private id: string | undefined = undefined

  constructor(
    readonly method: string,
    readonly headers: HttpRequest['headers'],
  ) {}

  get requestId(): string {
    this.id ??= this.givenId() ?? randomUUID()
    return this.id
  }

  get traceparent(): string | undefined {
    return traceparentOf(this.headers['traceparent'])
  }

  get tracestate(): string | undefined {
    const { tracestate } = this.headers
    return tracestate === undefined || this.traceparent === undefined ? undefined : tracestateOf(tracestate)
  }

  /** The id that an answer has: one that is no success always, and a success where the sender or the log has it too. */
  idInAnswer(status: number): string | undefined {
    return status < 300 ? this.knownId : this.requestId
  }

  /** The id that its sender gave, or that it was asked for. */
  get knownId(): string | undefined {
    return this.id ?? this.givenId()
  }

  /** Another process has named it, because it was asked for there. */
  adoptId(id: string): void {
    this.id ??= id
  }

  private givenId(): string | undefined {
    const given = this.headers['x-request-id']
    return typeof given === 'string' && REQUEST_ID.test(given) ? given : undefined
  }
}
