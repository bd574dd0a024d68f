import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { HttpHandler, HttpRequest } from '../contract/index.js'
import { parametersIn } from '../lib/body/form.js'
import { Connection } from './connection.js'
import { senderAddress } from './forwarded.js'
import type { Incoming } from './message.js'
import { isRepeated, originForm, pathOf } from './request-head.js'

const EMPTY = Buffer.alloc(0)
/** Visible ASCII: fit for a header of the response, a log and a terminal. */
const REQUEST_ID = /^[!-~]{1,128}$/

/**
 * A request as a source sees it: its head first, and then the same with its body. Rare values are computed on demand: most
 * events need neither an id of their request nor a trace.
 */
export class ReceivedRequest implements HttpRequest {
  body: Buffer = EMPTY
  receivedAt = 0
  #id: string | undefined = undefined
  #parameters: URLSearchParams | undefined = undefined
  readonly #url: string
  readonly #rawHeaders: readonly string[]
  #socket: Socket | undefined = undefined
  #trusts: HttpHandler['trusts'] = undefined

  /** `url` and `rawHeaders`: as node:http has them. */
  constructor(
    readonly method: string,
    readonly headers: HttpRequest['headers'],
    url = '/',
    rawHeaders: readonly string[] = [],
  ) {
    this.#url = url
    this.#rawHeaders = rawHeaders
  }

  /** `trusts`: that of the handler of its path. */
  static of(
    { method = '', headers, url, rawHeaders, socket }: Incoming,
    trusts?: HttpHandler['trusts'],
  ): ReceivedRequest {
    const request = new ReceivedRequest(method, headers, url, rawHeaders)
    request.#socket = socket
    request.#trusts = trusts
    return request
  }

  get target(): string {
    return originForm(this.#url)
  }

  get path(): string {
    return pathOf(this.#url)
  }

  get query(): string {
    const start = this.#url.indexOf('?')
    return start === -1 ? '' : this.#url.slice(start + 1)
  }

  get parameters(): URLSearchParams {
    this.#parameters ??= parametersIn(this.query)
    return this.#parameters
  }

  isRepeated(header: string): boolean {
    return isRepeated(this.#rawHeaders, header)
  }

  get requestId(): string {
    this.#id ??= this.#idOfSender() ?? randomUUID()
    return this.#id
  }

  get traceparent(): string | undefined {
    return traceparentOf(this.headers['traceparent'])
  }

  get tracestate(): string | undefined {
    const { tracestate } = this.headers
    return tracestate === undefined || this.traceparent === undefined ? undefined : tracestateOf(tracestate)
  }

  get remoteAddress(): string | undefined {
    const peer = this.#socket && Connection.of(this.#socket).remoteAddress
    if (peer === undefined || this.#trusts === undefined) return peer
    return senderAddress(peer, this.headers, this.#trusts)
  }

  /** The id for the response: every failure has one, and a success if the sender or the log has it too. */
  idForResponse(status: number): string | undefined {
    return status < 300 ? this.existingId : this.requestId
  }

  /** The id that its sender gave, or that was generated before. */
  get existingId(): string | undefined {
    return this.#id ?? this.#idOfSender()
  }

  /** Another process has generated its id, because it was needed there. */
  adoptId(id: string): void {
    this.#id ??= id
  }

  #idOfSender(): string | undefined {
    const id = this.headers['x-request-id']
    return typeof id === 'string' && REQUEST_ID.test(id) ? id : undefined
  }
}

/*
 * W3C trace context (https://www.w3.org/TR/trace-context/). These headers are the sender's matter: an invalid one is ignored,
 * and never a reason to refuse an event.
 */

type Header = string | readonly string[] | undefined

const FIELDS = '(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})'
const VERSION_00 = new RegExp(`^00-${FIELDS}$`)
/** The fields that a later version adds are unknown, so version 00 is passed on, with the flag that it knows. */
const LATER_VERSION = new RegExp(`^(?!ff)[0-9a-f]{2}-${FIELDS}(?:$|-)`)
const SAMPLED = 1

/** The trace and the span of the sender, in the form of version 00; undefined if there is none. */
export function traceparentOf(header: Header): string | undefined {
  if (typeof header !== 'string') return undefined
  if (VERSION_00.test(header)) return header
  if (header.startsWith('00')) return undefined
  const later = LATER_VERSION.exec(header)
  if (later === null) return undefined
  const [, trace, span, flags = ''] = later
  return `00-${trace}-${span}-0${Number.parseInt(flags, 16) & SAMPLED}`
}

/** The specification asks for at least so many characters to be passed on; longer ones would make records large. */
const LONGEST_STATE = 512
const MOST_MEMBERS = 32
/** A key as in level 2 of the specification, which allows a digit first and `@` anywhere after it. */
const MEMBER = /^[a-z0-9][a-z0-9_*/@-]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/
const SPACE_AROUND = /^[ \t]+|[ \t]+$/g

/** The data that tracing systems add to their `traceparent`, unchanged; undefined if there is none. */
export function tracestateOf(header: Header): string | undefined {
  if (typeof header !== 'string' || header === '' || header.length > LONGEST_STATE) return undefined
  const members = header.split(',')
  if (members.length > MOST_MEMBERS) return undefined
  let some = false
  for (const member of members) {
    const text = member.replace(SPACE_AROUND, '')
    if (text === '') continue
    if (!MEMBER.test(text)) return undefined
    some = true
  }
  return some ? header : undefined
}
