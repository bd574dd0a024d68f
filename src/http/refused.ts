import type { ErrorCode, HeadgateError, Violation } from '../contract/errors.js'
import type { HttpResponse } from '../contract/index.js'
import type { ReceivedRequest } from './request.js'

/** A request that got an error response. The parts of it that may be kept: no header that can have credentials, no query. */
export interface RefusedRequest {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** `none` if no pipeline listens at its path. */
  readonly pipeline: string
  /** Undefined if the bytes were no request of HTTP. */
  readonly method: string | undefined
  readonly path: string | undefined
  readonly status: number
  /** Undefined if a plugin responded without an error of Headgate. */
  readonly code: ErrorCode | undefined
  readonly message: string
  readonly violations: readonly Violation[]
  readonly requestId: string | undefined
  /** Undefined if it is unknown. */
  readonly remoteAddress: string | undefined
  readonly headers: { readonly [name: string]: string }
  /** Undefined if the body was not read. */
  readonly bytes: number | undefined
  /** The body, if it is short enough to be kept. */
  readonly body: Buffer | undefined
}

/** Headers that tell a sender, and the form of its body; none can have credentials. */
const KEPT_HEADERS = [
  'user-agent',
  'content-type',
  'content-encoding',
  'forwarded',
  'x-forwarded-for',
] as const

const LONGEST_TEXT = 512
const LONGEST_MESSAGE = 2048
const MOST_VIOLATIONS = 20
/** Bytes. A longer body is not kept: masks find their values in a whole document only. */
const MOST_BODY = 8 * 1024
/** For each pipeline, so that a flood on one path does not push out the requests of others. */
const MOST_KEPT = 50

/** Whether a response refuses its request. A source may send an error with a status of success, if its sender wants that. */
export const isRefused = ({ status, error }: HttpResponse): boolean => status >= 400 || error !== undefined

/** `body`: undefined if it was not read. */
export function refusedRequest(
  { method, path, headers, requestId, remoteAddress }: ReceivedRequest,
  { status, error }: HttpResponse,
  pipeline: string,
  body: Buffer | undefined,
): RefusedRequest {
  const kept: { [name: string]: string } = {}
  for (const name of KEPT_HEADERS) {
    const value = headers[name]
    if (typeof value === 'string') kept[name] = value.slice(0, LONGEST_TEXT)
  }
  return {
    ...reasonOf(status, error),
    at: Date.now(),
    pipeline,
    method,
    path: path.slice(0, LONGEST_TEXT),
    requestId,
    remoteAddress,
    headers: kept,
    bytes: body?.length,
    // A copy: the bytes can be a part of a larger buffer of the socket.
    body: body === undefined || body.length > MOST_BODY ? undefined : Buffer.from(body),
  }
}

/** Of bytes that are no request. */
export const refusedBytes = (
  status: number,
  error: HeadgateError,
  remoteAddress: string | undefined,
): RefusedRequest => ({
  ...reasonOf(status, error),
  at: Date.now(),
  pipeline: 'none',
  method: undefined,
  path: undefined,
  requestId: undefined,
  remoteAddress,
  headers: {},
  bytes: undefined,
  body: undefined,
})

const reasonOf = (
  status: number,
  error: HeadgateError | undefined,
): Pick<RefusedRequest, 'status' | 'code' | 'message' | 'violations'> => ({
  status,
  code: error?.code,
  message: error?.message.slice(0, LONGEST_MESSAGE) ?? '',
  violations: error?.violations.slice(0, MOST_VIOLATIONS) ?? [],
})

/** A refused request, with a number that no other one of the process has. */
export interface KeptRequest {
  readonly number: number
  readonly refused: RefusedRequest
}

interface Ring {
  readonly kept: KeptRequest[]
  /** The place of the next one. */
  next: number
}

/** The newest refused requests of each pipeline. */
export class RefusedRequests {
  readonly #byPipeline = new Map<string, Ring>()
  #last = 0

  add(refused: RefusedRequest): void {
    const ring = this.#byPipeline.get(refused.pipeline) ?? { kept: [], next: 0 }
    if (ring.kept.length === 0) this.#byPipeline.set(refused.pipeline, ring)
    ring.kept[ring.next] = { number: ++this.#last, refused }
    ring.next = (ring.next + 1) % MOST_KEPT
  }

  /** The number of the newest. */
  get last(): number {
    return this.#last
  }

  /** Undefined if it is no longer kept. */
  get(number: number): RefusedRequest | undefined {
    return this.after(number - 1).find((kept) => kept.number === number)?.refused
  }

  /** Those that were added after the one of this number, newest first. */
  after(number: number): KeptRequest[] {
    const all = [...this.#byPipeline.values()].flatMap(({ kept }) => kept)
    return all
      .filter((kept) => kept.number > number)
      .sort((a, b) => b.refused.at - a.refused.at || b.number - a.number)
  }

  /** Removes all, and returns them, oldest first. */
  take(): RefusedRequest[] {
    const all = this.after(0)
    this.#byPipeline.clear()
    return all.reverse().map(({ refused }) => refused)
  }
}
