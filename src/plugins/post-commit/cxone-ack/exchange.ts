import type { Dispatcher } from 'undici'
import type { WaitHeaders } from './retry-after.js'

/** The head of a response, as far as it is used. */
export interface Response extends WaitHeaders {
  readonly status: number
}

/** A response with its body. */
export interface FullResponse extends Response {
  /** As it came: encoded as `contentEncoding` says. */
  readonly body: Buffer
  readonly contentEncoding: string | undefined
}

/** Bytes. Responses are small; a connection that delivers more than this is dropped. */
export const MAX_RESPONSE = 64 * 1024

/** Interim responses (1xx) to one request. Servers send a handful; more than this is a flood that only costs time. */
const MAX_INTERIM = 1000

/** The request had its time. `code` stands in messages, as the codes of network errors do. */
class ExchangeTimeout extends Error {
  readonly code: string

  constructor(milliseconds: number, interim: number) {
    super()
    const also = interim === 0 ? '' : `, only ${interim} interim responses`
    this.code = `no complete response within ${milliseconds / 1000} s${also}`
  }
}

/**
 * Sends a request and resolves with the head of the response; the body is read and discarded, so that the connection can be
 * reused. Rejects if there is no response. `timeout` milliseconds after a connection begins with the request, everything has
 * ended: undici's own limits restart with each interim response and each piece of a body.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  timeout: number,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(request, new HeadOnly(timeout, resolve, reject))
  })
}

/** As `exchange`, but resolves with the whole response. */
export function fullExchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  timeout: number,
): Promise<FullResponse> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(request, new WithBody(timeout, resolve, reject))
  })
}

/** True if undici refuses to write the request: it cannot be made, now or later. */
export const isUnsendable = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && thrown.code === 'UND_ERR_INVALID_ARG'

/** Why there was no response, without the address: addresses come from config providers and stay out of logs. */
export function networkReason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'unknown'
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name
}

type Headers = { readonly [name: string]: string | readonly string[] | undefined }

/** One for each request: methods on a prototype, and no stream for a body that is discarded. */
abstract class Exchange implements Dispatcher.DispatchHandler {
  readonly #timeout: number
  readonly #reject: (error: Error) => void
  #deadline: NodeJS.Timeout | undefined
  #interim = 0

  constructor(timeout: number, reject: (error: Error) => void) {
    this.#timeout = timeout
    this.#reject = reject
  }

  abstract onHead(response: Response, headers: Headers): void
  abstract onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void

  onRequestStart(controller: Dispatcher.DispatchController): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => {
      controller.abort(new ExchangeTimeout(this.#timeout, this.#interim))
    }, this.#timeout)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200) {
      this.#interim++
      if (this.#interim > MAX_INTERIM) controller.abort(new ExchangeTimeout(this.#timeout, this.#interim))
      return
    }
    const { date } = headers
    this.onHead(
      { status, retryAfter: headers['retry-after'], date: typeof date === 'string' ? date : undefined },
      headers,
    )
  }

  onResponseEnd(): void {
    clearTimeout(this.#deadline)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#deadline)
    // Changes nothing once the status is known: a body that breaks off takes nothing back.
    this.#reject(error)
  }
}

class HeadOnly extends Exchange {
  constructor(
    timeout: number,
    private readonly resolve: (response: Response) => void,
    reject: (error: Error) => void,
  ) {
    super(timeout, reject)
  }

  onHead(response: Response): void {
    this.resolve(response)
  }

  onResponseData(): void {}
}

class WithBody extends Exchange {
  readonly #chunks: Buffer[] = []
  #head: Omit<FullResponse, 'body'> | undefined

  constructor(
    timeout: number,
    private readonly resolve: (response: FullResponse) => void,
    reject: (error: Error) => void,
  ) {
    super(timeout, reject)
  }

  onHead(response: Response, headers: Headers): void {
    const coding = headers['content-encoding']
    this.#head = { ...response, contentEncoding: typeof coding === 'object' ? coding.join() : coding }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  override onResponseEnd(): void {
    super.onResponseEnd()
    if (this.#head !== undefined) this.resolve({ ...this.#head, body: Buffer.concat(this.#chunks) })
  }
}
