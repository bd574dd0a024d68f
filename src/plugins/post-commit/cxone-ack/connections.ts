import type { Client, Dispatcher, Pool } from 'undici'
import { milliseconds } from '../../../lib/units.js'
import { MAX_RESPONSE } from './exchange.js'
import type { Settings } from './settings.js'

/** The API and the token endpoint; often one server. */
export interface Servers {
  readonly api: Pool
  readonly token: Client
}

/** Connects lazily, with the first request. */
export class Connections {
  readonly apiOrigin: string
  /** The path in `baseUrl`; empty if it has none. */
  readonly apiPrefix: string
  readonly tokenPath: string
  readonly #tokenOrigin: string
  readonly #connections: number
  readonly #limits: Client.Options
  #loaded: Servers | undefined
  #loading: Promise<Servers> | undefined

  constructor(settings: Settings) {
    const api = new URL(settings.baseUrl)
    this.apiOrigin = api.origin
    this.apiPrefix = withoutSlash(api.pathname)
    const token = new URL(tokenUrlText(settings))
    this.#tokenOrigin = token.origin
    this.tokenPath = token.pathname + token.search
    this.#connections = settings.connections
    // `exchange` has a deadline for the whole response: undici's timeouts restart with each piece that arrives.
    this.#limits = {
      connectTimeout: milliseconds(settings.timeout),
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_RESPONSE,
    }
  }

  /** A promise only until undici has been loaded. */
  servers(): Servers | Promise<Servers> {
    if (this.#loaded !== undefined) return this.#loaded
    this.#loading ??= this.#load()
    return this.#loading
  }

  /** Once this resolves, all requests end when `signal` is aborted. */
  async open(signal: AbortSignal): Promise<void> {
    await this.servers()
    if (signal.aborted) this.#abort()
    else signal.addEventListener('abort', this.#abort, { once: true })
  }

  /** Lets requests to the API finish, unless `signal` is aborted meanwhile. */
  async close(signal: AbortSignal): Promise<void> {
    const servers = await this.#loading
    if (servers === undefined) return
    await new Promise<void>((resolve) => {
      // close() alone never resolves if destroy() is called in between and requests were still queued in the pool.
      signal.addEventListener('abort', () => resolve(), { once: true })
      servers.api.close().then(resolve, () => resolve())
    })
    signal.removeEventListener('abort', this.#abort)
    this.#abort()
  }

  async #load(): Promise<Servers> {
    const { Client, Pool, readPastContinue } = await loadUndici()
    const servers = {
      api: new Pool(this.apiOrigin, { ...this.#limits, connections: this.#connections }),
      token: new Client(this.#tokenOrigin, this.#limits),
    }
    this.#loaded = servers
    readPastContinue(servers.api)
    readPastContinue(servers.token)
    return servers
  }

  readonly #abort = (): void => {
    void this.#loaded?.api.destroy()
    void this.#loaded?.token.destroy()
  }
}

/** The URL of the token endpoint: `oauth.tokenUrl`, below `baseUrl` if it is a path. */
export function tokenUrlText({ baseUrl, oauth: { tokenUrl } }: Settings): string {
  return tokenUrl.startsWith('/') ? withoutSlash(baseUrl) + tokenUrl : tokenUrl
}

const withoutSlash = (text: string): string => (text.endsWith('/') ? text.slice(0, -1) : text)

export interface Undici {
  readonly Client: typeof Client
  readonly Pool: typeof Pool
  /** Call this with each dispatcher before its first request. */
  readPastContinue(dispatcher: Dispatcher): void
}

/**
 * The parts of undici that talk to one server, without `fetch` and the rest: these take 25 ms to load, the whole 65 ms,
 * during which a start cannot process Kafka's responses. They have `dispatch`, which is enough, and no `request`.
 */
export async function loadUndici(): Promise<Undici> {
  const [client, pool, symbols] = await Promise.all([
    import('undici/lib/dispatcher/client.js'),
    import('undici/lib/dispatcher/pool.js'),
    import('undici/lib/core/symbols.js'),
  ])
  const { kSocket, kParser } = symbols.default
  return {
    Client: client.default,
    Pool: pool.default,
    readPastContinue(dispatcher) {
      dispatcher.on('connect', (_origin, targets) => {
        const connection = targets.at(-1) as unknown as Keyed | undefined
        const socket = connection?.[kSocket] as Keyed | undefined
        const parser = socket?.[kParser] as Parser | undefined
        if (parser !== undefined) mend(Object.getPrototypeOf(parser))
      })
    },
  }
}

interface Keyed {
  readonly [key: symbol]: unknown
}

interface Parser {
  onHeadersComplete(status: number, upgrade: boolean, shouldKeepAlive: boolean): number
}

const mended = new WeakSet<Parser>()

/**
 * A client must accept any interim response, requested or not (RFC 9110, 15.2). undici accepts all of them except 100,
 * for which it drops the connection ("bad response", `onHeadersComplete` in lib/dispatcher/client-h1.js). It has no option
 * for it and does not export its parser: so this takes the class from the first connection, and passes it a 102 instead.
 * The alternative, node:http, takes about twice the processor time for each acknowledgement.
 */
function mend(prototype: Parser): void {
  if (mended.has(prototype)) return
  mended.add(prototype)
  const { onHeadersComplete } = prototype
  prototype.onHeadersComplete = function (status, upgrade, ...rest) {
    // After a 101, undici's parser would take everything that follows for a body.
    return onHeadersComplete.call(this, status === 100 ? 102 : status, upgrade || status === 101, ...rest)
  }
}
