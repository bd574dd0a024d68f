import type { Writable } from 'node:stream'
import type { CheckedConfig } from '../config/read.js'
import { ERRORS } from '../contract/errors.js'
import type { KeptRequest, RefusedRequests } from '../http/refused.js'
import type { MaskPath } from '../lib/json/masked.js'
import { pointer } from '../lib/json/pointer.js'
import { bytes } from '../lib/units.js'
import type { RefusedLine } from '../tap/line.js'
import { refusedLine } from '../tap/refused.js'
import type { RefusedDetail, RefusedList } from './api.js'
import { type AdminRequest, errorResponse, get, json, type Route, type StreamedResponse } from './routes.js'
import { isSize, problem, unknown, wrong, wrongPointer } from './tap.js'

export interface RefusedData {
  readonly refused: RefusedRequests
  /** Has the workers hand over theirs. */
  collect(): Promise<void> | undefined
  config(): Pick<CheckedConfig, 'pipelines'>
  secrets(): ReadonlyMap<string, string>
  redact(text: string): string
}

interface RefusedQuery {
  /** Names of pipelines, and of codes; empty for all. */
  readonly pipelines: readonly string[]
  readonly codes: readonly string[]
  readonly masks: readonly MaskPath[]
  /** Bytes of each body. */
  readonly payload: number
}

/** Milliseconds between two looks for new ones, and of silence after which a comment keeps a stream open. */
const EVERY = 1000
const SILENCE = 15_000
const DETAIL_PAYLOAD = '64KiB'

/** Requests that got an error response: those that are kept, and as server-sent events those that come. */
export function refusedRoutes(data: RefusedData): Route[] {
  const feed = new RefusedFeed(data)
  return [
    get('/refused', (request) => {
      const read = readQuery(request, data.config())
      if ('problem' in read) return problem(400, 'HG_TAP_REFUSED', data.redact(read.problem))
      if (request.headers.accept?.includes('text/event-stream')) return feed.stream(read.query)
      return listed(data, read.query)
    }),
    get('/refused/{number}', async ({ params: { number = '' } }) => {
      await data.collect()
      const refused = data.refused.get(Number(number))
      if (refused === undefined)
        return errorResponse(404, `The refused request ${number} is not kept any more.`)
      const line = lineOf(data, { number: Number(number), refused }, [], bytes(DETAIL_PAYLOAD))
      const detail: RefusedDetail = { ...line, ...(line.code && { action: ERRORS[line.code].action }) }
      return json(200, detail)
    }),
  ]
}

async function listed(data: RefusedData, query: RefusedQuery) {
  await data.collect()
  return json(200, listOf(data, query, 0))
}

function readQuery(
  { query }: AdminRequest,
  { pipelines }: Pick<CheckedConfig, 'pipelines'>,
): { readonly query: RefusedQuery } | { readonly problem: string } {
  const named = query.getAll('pipeline')
  const codes = query.getAll('code')
  const masks = query.getAll('mask')
  const payload = query.get('payload') ?? '0B'
  const found =
    unknown('parameter', [...query.keys()], ['pipeline', 'code', 'mask', 'payload']) ??
    unknown('pipeline', named, [...pipelines.map(({ name }) => name), 'none']) ??
    unknown('code', codes, Object.keys(ERRORS)) ??
    masks.map(wrongPointer).find((one) => one !== undefined) ??
    wrong('payload', payload, isSize(payload), 'a size up to 64KiB such as 512B or 4KiB')
  if (found !== undefined) return { problem: found }
  const paths = masks.map((text) => pointer(text).tokens)
  return { query: { pipelines: named, codes, masks: paths, payload: bytes(payload) } }
}

/** Those that were added after the one of this number. */
function listOf(data: RefusedData, query: RefusedQuery, after: number): RefusedList {
  const { pipelines, codes, masks, payload } = query
  const wanted = data.refused.after(after).filter(({ refused: { pipeline, code } }) => {
    const isOfPipeline = pipelines.length === 0 || pipelines.includes(pipeline)
    return isOfPipeline && (codes.length === 0 || (code !== undefined && codes.includes(code)))
  })
  return { refused: wanted.map((kept) => lineOf(data, kept, masks, payload)) }
}

function lineOf(
  { config, secrets }: RefusedData,
  kept: KeptRequest,
  masks: readonly MaskPath[],
  payload: number,
): RefusedLine {
  const masksOf = new Map(
    config().pipelines.map(({ name, settings }) => [
      name,
      [...settings.tap.mask.map((text) => pointer(text).tokens), ...masks],
    ]),
  )
  return refusedLine(kept, { payload, masksOf, secrets: secrets() })
}

interface Listener {
  readonly query: RefusedQuery
  /** The number of the last one that it has seen. */
  seen: number
  wroteAt: number
}

/** Looks for new ones each second, once for all listeners, and only while there is one. */
class RefusedFeed {
  readonly #data: RefusedData
  readonly #listeners = new Map<Writable, Listener>()
  #timer: NodeJS.Timeout | undefined

  constructor(data: RefusedData) {
    this.#data = data
  }

  stream(query: RefusedQuery): StreamedResponse {
    return {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      stream: (response) => {
        if (response.destroyed) return
        this.#listeners.set(response, { query, seen: -1, wroteAt: 0 })
        response.on('close', () => this.#leave(response))
        this.#timer ??= setInterval(() => void this.#send(), EVERY).unref()
        void this.#send()
      },
    }
  }

  #leave(response: Writable): void {
    this.#listeners.delete(response)
    if (this.#listeners.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #send(): Promise<void> {
    await this.#data.collect()
    const newest = this.#data.refused.last
    for (const [response, listener] of this.#listeners) {
      // A listener that reads slowly gets those that are still kept later, in one message.
      if (response.writableNeedDrain) continue
      const { query, seen } = listener
      const isFirst = seen === -1
      const list = newest === seen ? NOTHING : listOf(this.#data, query, Math.max(seen, 0))
      listener.seen = newest
      if (isFirst || list.refused.length > 0) this.#write(response, `data: ${JSON.stringify(list)}\n\n`)
      else if (performance.now() - listener.wroteAt >= SILENCE) this.#write(response, ': idle\n\n')
    }
  }

  #write(response: Writable, text: string): void {
    const listener = this.#listeners.get(response)
    if (listener !== undefined) listener.wroteAt = performance.now()
    response.write(text)
  }
}

const NOTHING: RefusedList = { refused: [] }
