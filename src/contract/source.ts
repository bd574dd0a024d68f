import type { Event, Outcome } from './event.js'
import type { Correlation, HttpRequest, HttpResponse } from './http.js'
import type { Explained } from './stage.js'

/**
 * The path of one event. `receive` authenticates, parses and gives the id, and throws a HeadgateError where it
 * cannot; it is called at once. Never rejects: whatever happens is an outcome. `request`: the one that it came with, by
 * which the log tells of it; an `HttpHead` is one.
 */
export type Intake = (receive: () => Event, request?: Correlation) => Promise<Outcome>

export interface Source {
  /** Opens the intake. */
  start(intake: Intake): Promise<void>
  /** Takes no more; resolves when all that was taken has been answered. */
  stop(): Promise<void>
  /** What the sender is told. Pure: `explain` and `test` ask it too. */
  respond(outcome: Outcome): HttpResponse
  /** What was looked at in a request that became an event. Pure, and never on the path of an event. */
  explain?(request: HttpRequest): readonly Explained[]
}
