import type { Static, TSchema } from 'typebox'
import type { Context, Explained } from './context.js'
import type { BaseDefinition, CheckContext } from './definition.js'
import type { Event, Handshake, Outcome } from './event.js'
import type { Correlation, HttpHead, HttpListener, HttpRequest, HttpResponse } from './http.js'
import type { InboxStart } from './inbox.js'
import type { LoggedRecord } from './record-log.js'

/**
 * The path of one event. `receive` authenticates, parses and gives the id, and throws a HeadgateError if it cannot; it
 * is called at once. For a handshake it returns the response. Never rejects: every end is an outcome. `request`: the one that
 * brought the event, for the log; of an `HttpHead`, the event also gets the parts that later stages read.
 */
export type Intake = (receive: () => Event | Handshake, request?: Correlation | HttpHead) => Promise<Outcome>

/**
 * The events of a source that takes them from topics on the cluster of the sink. The instances of the pipeline share the
 * partitions, and commit offsets and records together.
 */
export interface RecordSource {
  readonly topics: readonly string[]
  readonly start: InboxStart
  /** False if no two records can be the same event. */
  readonly hasIds: boolean
  /** The event of a record. Pure. Throws a HeadgateError of kind `data`. */
  receive(record: LoggedRecord): Event
}

export interface Source {
  /** Opens the intake. */
  start(intake: Intake): Promise<void>
  /** Accepts no more events; resolves when all accepted ones have their responses. */
  stop(): Promise<void>
  /** The response to the sender. Pure: `explain` and `test` call it too. */
  respond(outcome: Outcome): HttpResponse
  /** The parts of the request that the source examined to make the event. Pure, and never on the path of an event. */
  explain?(request: HttpRequest): readonly Explained[]
  /** Instead of events that are given to `intake`. */
  readonly records?: RecordSource
}

export interface SourceContext extends Context {
  readonly http: HttpListener
}

export interface SourceDefinition<Config extends TSchema = TSchema> extends BaseDefinition<Config> {
  readonly kind: 'source'
  /**
   * True if it does not take its events from the shared listener. With HEADGATE_WORKERS it runs once, in the primary
   * process; all others run in each worker.
   */
  readonly single?: boolean
  /** True if its events come in HTTP requests, of which later stages can read the head. */
  readonly requests?: boolean
  /**
   * The places in a request, as `header:NAME` or `query:NAME`, at which its sender presents a secret as it is. No stage may read
   * them: the secret would get into records and taps.
   */
  credentials?(config: Static<Config>): readonly string[]
  /** The headers that its sender is known to send; undefined if that is not known. */
  sends?(config: Static<Config>): readonly string[] | undefined
  /** The topics of a source with `records`, and their places in its config. */
  topics?(config: Static<Config>): readonly { readonly at: string; readonly topic: string }[]
  /** Bytes of the largest body that it accepts. */
  maxBody?(config: Static<Config>): number
  /** The most events in flight at a time, in all processes together; at this limit it refuses more. */
  maxInFlight?(config: Static<Config>): number
  /** The JSON Schema that every event fits when the source passes it on. */
  ensures?(config: Static<Config>, context: CheckContext): unknown
  /**
   * The same settings without verification of the sender. Only dry runs (`explain`, `test`) call this; without it, a
   * source verifies senders there too.
   */
  unverified?(config: Static<Config>): Static<Config>
  /**
   * The same settings without those that look at the connection of a request, or at requests before it. All dry runs call this: they
   * have neither.
   */
  detached?(config: Static<Config>): Static<Config>
  /**
   * A request that brings this event alone; without it, the bytes of the event are the body of a request. For sources whose requests
   * bring several events. Only `test --record` calls this.
   */
  requestOf?(
    config: Static<Config>,
    event: string,
  ): { readonly headers: { readonly [name: string]: string }; readonly body: string }
  /** Pure. Called with a checked config. */
  create(config: Static<Config>, context: SourceContext): Source
}
