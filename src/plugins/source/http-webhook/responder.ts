import type { ErrorCode } from '../../../contract/errors.js'
import type { Handshake, HttpResponse, Outcome } from '../../../contract/index.js'
import { problem } from '../../../http/problem.js'
import { batchResponse, worstOf } from './batch.js'
import type { RateLimits } from './rate-limits.js'
import { adapted, type ResponseSettings } from './responses.js'

const JSON_HEADERS = { 'content-type': 'application/json' }
/** Of the responses to events that are taken, unless the settings have others. */
export const STATUS = {
  accepted: 200,
  delivered: 200,
  duplicate: 200,
  dropped: 200,
  'dead-lettered': 202,
} as const

/** Headers of the responses to some errors. */
export type ErrorHeaders = { readonly [code in ErrorCode]?: { readonly [name: string]: string } }

/** The response to an outcome, as the sender of this source wants it. */
export class Responder {
  readonly #settings: ResponseSettings
  readonly #errorHeaders: ErrorHeaders
  readonly #limits: RateLimits | undefined

  constructor(settings: ResponseSettings, errorHeaders: ErrorHeaders, limits: RateLimits | undefined) {
    this.#settings = settings
    this.#errorHeaders = errorHeaders
    this.#limits = limits
  }

  respond(outcome: Outcome): HttpResponse {
    if (outcome.kind === 'handshake') return outcome.response
    return adapted(this.#responseTo(outcome), outcome.kind, this.#settings)
  }

  /** One for all items. */
  respondToBatch(outcomes: readonly Outcome[]): HttpResponse {
    const ended = outcomes.filter((outcome) => outcome.kind !== 'handshake')
    const worst = worstOf(ended)
    const response = batchResponse(ended, worst && this.#responseTo(worst))
    return adapted(response, worst?.kind ?? 'delivered', this.#settings)
  }

  #responseTo(outcome: Exclude<Outcome, Handshake>): HttpResponse {
    const { kind, id } = outcome
    if (kind === 'limited') return problem(outcome.error, id, this.#limits?.headers(outcome.error))
    if (kind === 'rejected' || kind === 'unavailable')
      return problem(outcome.error, id, this.#errorHeaders[outcome.error.code])
    const status = STATUS[kind]
    if (kind === 'dropped')
      return { status, headers: JSON_HEADERS, body: JSON.stringify({ id, outcome: kind }) }
    const { topic, partition, offset } = outcome.receipt
    const body = JSON.stringify({ id, outcome: kind, topic, partition, offset })
    return { status, headers: JSON_HEADERS, body }
  }
}
