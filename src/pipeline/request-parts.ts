import { HeadgateError } from '../contract/errors.js'
import type { Correlation, Event, HttpHead, RequestParts } from '../contract/index.js'
import { headerText } from '../lib/header-text.js'
import { locator } from '../lib/locator.js'

/** Takes the parts that stages read from a request. Throws HG_INTAKE_HEADERS_TOO_LARGE. */
export type ReadRequest = (request: HttpHead) => RequestParts

type Mutable<Type> = { -readonly [Member in keyof Type]: Type[Member] }

/** `parts`: those that the config reads, as locators. Undefined if there are none: events then cost nothing more. */
export function requestReader(parts: Iterable<string>): ReadRequest | undefined {
  const locators = [...parts].map(locator)
  if (locators.length === 0) return undefined
  const namesOf = (kind: 'header' | 'query') => [
    ...new Set(locators.flatMap((each) => (each.kind === kind ? [each.name] : []))),
  ]
  const headers = namesOf('header')
  const parameters = namesOf('query')
  const readsPath = locators.some(({ kind }) => kind === 'path')
  const readsMethod = locators.some(({ kind }) => kind === 'method')
  return (request) => {
    const read: Mutable<RequestParts> = {}
    if (readsMethod) read.method = request.method
    if (readsPath) read.path = request.path
    if (headers.length > 0) read.headers = collect(headers, (name) => textOf(request.headers[name]))
    if (parameters.length > 0) read.query = collect(parameters, (name) => parameter(request, name))
    requireFit(read)
    return read
  }
}

function collect(
  names: readonly string[],
  read: (name: string) => string | undefined,
): { readonly [name: string]: string } {
  const found: [string, string][] = []
  for (const name of names) {
    const value = read(name)
    if (value !== undefined) found.push([name, value])
  }
  return Object.fromEntries(found)
}

/** `header`: as node:http has it, which keeps only the first of those that HTTP allows once, such as Content-Type. */
function textOf(header: HttpHead['headers'][string]): string | undefined {
  if (typeof header === 'string') return headerText(header)
  return Array.isArray(header) ? header.map(headerText).join(', ') : undefined
}

function parameter({ parameters }: HttpHead, name: string): string | undefined {
  const values = parameters.getAll(name)
  return values.length === 0 ? undefined : values.join(', ')
}

/** Room in the headers of a record. Nothing is cut: a replay has to decide as the first time. */
export const MOST_REQUEST_BYTES = 4096
/** JSON writes a control character in so many bytes. */
const WIDEST = 6

function requireFit(read: RequestParts): void {
  const values = [...Object.values(read.headers ?? {}), ...Object.values(read.query ?? {}), read.path ?? '']
  const characters = values.reduce((sum, { length }) => sum + length, 0)
  if (characters * WIDEST <= MOST_REQUEST_BYTES / 2) return
  const bytes = Buffer.byteLength(requestText(read))
  if (bytes <= MOST_REQUEST_BYTES) return
  throw new HeadgateError(
    'HG_INTAKE_HEADERS_TOO_LARGE',
    `The parts of the request that the config reads have ${bytes} bytes as JSON; at most ${MOST_REQUEST_BYTES} are allowed.`,
  )
}

/** `request`: what the source gave. Only the head of a request has parts. */
export function withRequest(event: Event, read: ReadRequest, request: Correlation | undefined): Event {
  if (request === undefined || !isHead(request)) return event
  const { id, body, receivedAt, traceparent, tracestate } = event
  const copy: Mutable<Event> = { id, body, receivedAt, request: read(request) }
  if (traceparent !== undefined) copy.traceparent = traceparent
  if (tracestate !== undefined) copy.tracestate = tracestate
  return copy
}

const isHead = (request: Correlation): request is HttpHead => 'headers' in request

/** A request as people and files write it: the query as it stands in a URL. */
export interface WrittenRequest {
  readonly method?: string
  readonly path?: string
  readonly query?: string
  readonly headers?: { readonly [name: string]: string }
}

/** The parts as the text of the record header `headgate-request`. */
export const requestText = (parts: RequestParts): string => JSON.stringify(toWrittenRequest(parts))

export const toWrittenRequest = ({ query, ...others }: RequestParts): WrittenRequest => ({
  ...others,
  ...(query !== undefined && { query: new URLSearchParams(query).toString() }),
})

export function fromWrittenRequest({ query, ...others }: WrittenRequest): RequestParts {
  if (query === undefined) return others
  return { ...others, query: Object.fromEntries(new URLSearchParams(query)) }
}

/** Reads the text of a record header; undefined if it is no request. */
export function parseRequestText(text: string | undefined): WrittenRequest | undefined {
  if (text === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return isWrittenRequest(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

const TEXTS = ['method', 'path', 'query']

/** Whether a value has the form of a request, and no other members. */
export const isWrittenRequest = (value: unknown): value is WrittenRequest =>
  isObject(value) &&
  Object.entries(value).every(([name, member]) =>
    name === 'headers'
      ? isObject(member) && Object.values(member).every((text) => typeof text === 'string')
      : TEXTS.includes(name) && typeof member === 'string',
  )

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
