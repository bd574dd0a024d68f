/** The documentation of a sender of webhooks, as settings of the source. */
export interface Sender {
  /** The value of `sender`. */
  readonly name: string
  /** As the sender calls itself. */
  readonly title: string
  /** The page that says so. */
  readonly documentation: string
  readonly event: SampleEvent
  /** The settings that it stands for, all but the secrets. */
  readonly settings: { readonly [setting: string]: unknown }
  /** JSON Pointers into the settings at which `secrets` goes. */
  readonly secrets: readonly string[]
  /** The secret, and the place where the sender shows it. A sentence. */
  readonly secret: string
  /** The sender gives up waiting for a response after this duration; absent if it does not say. */
  readonly timeLimit?: string
  /** The deliveries that follow an event that it takes for failed, and the end of them. Sentences. */
  readonly retries: string
  /** The pages that have these figures. */
  readonly retriesAt: readonly [string, ...string[]]
  /** The statuses that it takes for a success; absent if that is all of 2xx. */
  readonly successes?: readonly number[]
  /** Schemes of `verify`, besides that of the settings, by which it can prove itself. */
  readonly otherSchemes?: readonly string[]
  /** Its redeliveries can have another body, and no two events have one id: `redelivery.by` of the pipeline is then "id". */
  readonly redelivery?: 'id'
  /** Settings that its user has to add, with the reason. */
  readonly needs?: { readonly [setting: string]: string }
  /** All headers that it documents for its webhooks, besides those of every HTTP client; absent if it does not list them. */
  readonly headers?: readonly string[]
  /** Sentences for its user. */
  readonly notes: readonly string[]
}

/**
 * A request as the sender sends it, without the ids of its events and without what proves the sender: for new configs, pages and
 * the sandbox.
 */
export interface SampleEvent {
  /** Default: `Content-Type: application/json`. */
  readonly headers?: { readonly [name: string]: string }
  /** As rules see it: a form or XML is decoded. */
  readonly body: object
  /** A JSON Pointer into the event, to a value in which events differ, if the settings name no place of an id. */
  readonly differsAt?: string
}

const EMPTY = { status: 204, body: false }

/** The setting `responses` of a sender that takes a body, or another status, for a failure. */
export const EMPTY_RESPONSES = {
  accepted: EMPTY,
  delivered: EMPTY,
  duplicate: EMPTY,
  dropped: EMPTY,
  'dead-lettered': EMPTY,
}
