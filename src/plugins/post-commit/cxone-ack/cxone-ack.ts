import { HeadgateError } from '../../../contract/errors.js'
import type { Attempt, Committed, Gauge, Log, PostCommit } from '../../../contract/index.js'
import { milliseconds } from '../../../lib/units.js'
import { Connections } from './connections.js'
import { exchange, isUnsendable, networkReason, type Response } from './exchange.js'
import { retryAfter } from './retry-after.js'
import type { Settings } from './settings.js'
import { type StatusMeaning, statusMeanings } from './statuses.js'
import { compileTemplate, jsonEscape, percentEncode, type Template } from './template.js'
import { type Token, TokenSource } from './token.js'
import { tokenRequest } from './token-request.js'

interface Host {
  readonly log: Log
  readonly signal: AbortSignal
  /** Gets the expiry of each token. */
  readonly expiry: Pick<Gauge, 'set'>
}

export class CxoneAck implements PostCommit {
  readonly #method: Settings['method']
  readonly #timeout: number
  readonly #maxRetryAfter: number
  readonly #meanings: readonly StatusMeaning[]
  readonly #connections: Connections
  readonly #path: Template
  readonly #body: Template
  /** For messages: the template tells requests apart well enough, and contains no data of a sender. */
  readonly #name: string
  readonly #tokens: TokenSource
  readonly #signal: AbortSignal
  #isStopping = false

  constructor(config: Settings, { log, signal, expiry }: Host) {
    this.#method = config.method
    this.#timeout = milliseconds(config.timeout)
    this.#maxRetryAfter = milliseconds(config.maxRetryAfter)
    this.#meanings = statusMeanings(config.statuses)
    this.#connections = new Connections(config)
    this.#path = compileTemplate(this.#connections.apiPrefix + config.path, percentEncode)
    this.#body = compileTemplate(config.body, jsonEscape)
    this.#name = `${config.method} ${config.path}`
    this.#signal = signal
    expiry.set(0)
    this.#tokens = new TokenSource(tokenRequest(config, this.#connections), {
      issued: (lifetime) => expiry.set((Date.now() + lifetime) / 1000),
      failed: ({ code, message }) => {
        if (!this.#isStopping && !signal.aborted) log.warn({ code }, message)
      },
    })
  }

  async start(): Promise<void> {
    await this.#connections.open(this.#signal)
    // Wrong credentials show in the log now, and not with the first event.
    this.#tokens.fetch().catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#connections.close(this.#signal)
  }

  request(committed: Committed): ReturnType<NonNullable<PostCommit['request']>> {
    return {
      method: this.#method,
      url: this.#connections.apiOrigin + this.#path(committed),
      body: this.#body(committed),
      headers: asObject(headers('Bearer <token>', committed)),
    }
  }

  async acknowledge(committed: Committed): Promise<Attempt> {
    try {
      return this.#verdict(await this.#send(committed))
    } catch (thrown) {
      return this.#failed(thrown)
    }
  }

  /** Once more with another token if the API refuses the first. */
  async #send(committed: Committed): Promise<Response> {
    const path = this.#path(committed)
    const body = this.#body(committed)
    const tokens = this.#tokens
    const servers = this.#connections.servers()
    const { api } = servers instanceof Promise ? await servers : servers
    const send = ({ authorization }: Token): Promise<Response> => {
      const request = { method: this.#method, path, body, headers: headers(authorization, committed) }
      return exchange(api, request, this.#timeout)
    }

    let token = tokens.current() ?? (await tokens.fetch())
    let response = await send(token)
    if (response.status === 401) {
      tokens.refuse(token)
      token = tokens.current() ?? (await tokens.fetch())
      response = await send(token)
    }
    if (response.status === 401) tokens.refuse(token)
    else if (this.#meanings[response.status] === 'success') tokens.accept(token)
    return response
  }

  #verdict(response: Response): Attempt {
    const meaning = this.#meanings[response.status]
    if (meaning === 'success') return { kind: 'acknowledged' }
    const message = `${this.#name} failed with status ${response.status}.`
    if (meaning === 'give-up') return { kind: 'give-up', error: new HeadgateError('HG_ACK_GAVE_UP', message) }
    const after = retryAfter(response, this.#maxRetryAfter)
    return {
      kind: 'retry',
      error: new HeadgateError('HG_ACK_RETRY', message),
      ...(after !== undefined && { after }),
      ...(meaning === 'throttle' && { throttled: true }),
    }
  }

  #failed(thrown: unknown): Attempt {
    if (thrown instanceof HeadgateError) {
      return { kind: thrown.code === 'HG_ACK_REQUEST' ? 'give-up' : 'retry', error: thrown }
    }
    if (isUnsendable(thrown)) {
      const message = `${this.#name} cannot be made: the trace context of the event cannot stand in a header.`
      return { kind: 'give-up', error: new HeadgateError('HG_ACK_REQUEST', message) }
    }
    const message = `${this.#name} got no response: ${networkReason(thrown)}.`
    return { kind: 'retry', error: new HeadgateError('HG_ACK_RETRY', message) }
  }
}

function headers(authorization: string, { traceparent, tracestate }: Committed): string[] {
  const pairs = ['authorization', authorization, 'content-type', 'application/json', 'user-agent', 'headgate']
  if (traceparent !== undefined) pairs.push('traceparent', traceparent)
  if (tracestate !== undefined) pairs.push('tracestate', tracestate)
  return pairs
}

const asObject = (pairs: readonly string[]): { [name: string]: string } =>
  Object.fromEntries(pairs.flatMap((name, at) => (at % 2 === 0 ? [[name, pairs[at + 1] ?? '']] : [])))
