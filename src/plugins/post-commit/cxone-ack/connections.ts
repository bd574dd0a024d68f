import type { Client, Dispatcher, Pool } from 'undici'
import { milliseconds } from '../../../lib/units.js'
import { MAX_RESPONSE } from './exchange.js'
import type { Settings } from './settings.js'

/** The API and the token endpoint; often one server. */
export interface Servers {
  readonly api: Pool
  readonly token: Client
}

export interface Connections {
  readonly apiOrigin: string
  /** The path in `baseUrl`; empty if it has none. */
  readonly apiPrefix: string
  readonly tokenPath: string
  /** A promise only until undici has been loaded. */
  servers(): Servers | Promise<Servers>
  /** Once this resolves, all requests end when `signal` is aborted. */
  open(signal: AbortSignal): Promise<void>
  /** Lets requests to the API finish, unless `signal` is aborted meanwhile. */
  close(signal: AbortSignal): Promise<void>
}

/** Connects lazily, with the first request. */
export function createConnections(settings: Settings): Connections {
  const timeout = milliseconds(settings.timeout)
  // From when a request is sent, `exchange` has a deadline for all of it: undici's restart with each piece that arrives.
  const limits = {
    connectTimeout: timeout,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_RESPONSE,
  }
  const apiUrl = new URL(settings.baseUrl)
  const tokenUrl = new URL(tokenUrlText(settings))
  let loaded: Servers | undefined
  let loading: Promise<Servers> | undefined

  async function load(): Promise<Servers> {
    const { Client, Pool, readPastContinue } = await loadUndici()
    loaded = {
      api: new Pool(apiUrl.origin, { ...limits, connections: settings.connections }),
      token: new Client(tokenUrl.origin, limits),
    }
    readPastContinue(loaded.api)
    readPastContinue(loaded.token)
    return loaded
  }
  const abort = (): void => {
    void loaded?.api.destroy()
    void loaded?.token.destroy()
  }
  function servers(): Servers | Promise<Servers> {
    if (loaded !== undefined) return loaded
    loading ??= load()
    return loading
  }

  return {
    apiOrigin: apiUrl.origin,
    apiPrefix: withoutSlash(apiUrl.pathname),
    tokenPath: tokenUrl.pathname + tokenUrl.search,
    servers,
    async open(signal) {
      await servers()
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
    },
    async close(signal) {
      const used = await loading
      if (used === undefined) return
      await new Promise<void>((resolve) => {
        // close() alone never resolves if destroy() is called in between and requests were still queued in the pool.
        signal.addEventListener('abort', () => resolve(), { once: true })
        used.api.close().then(resolve, () => resolve())
      })
      signal.removeEventListener('abort', abort)
      abort()
    },
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
  /** To be called with each dispatcher before its first request. */
  readPastContinue(dispatcher: Dispatcher): void
}

/**
 * The parts of undici that talk to one server, without `fetch` and the rest: these take 25 ms to load, and the whole 65, in
 * which a start cannot process Kafka's responses. They have `dispatch`, which is all that is used, and no `request`.
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
 * A client reads on past any interim response, asked for or not (RFC 9110, 15.2). undici does so with all of them but 100,
 * for which it drops the connection ("bad response", `onHeadersComplete` in lib/dispatcher/client-h1.js). It has no option
 * for it and does not export its parser: so the class is taken from the first connection, and is told of a 102 instead. The alternative, node:http, takes about twice the processor time for each acknowledgement.
 */
function mend(prototype: Parser): void {
  if (mended.has(prototype)) return
  mended.add(prototype)
  const { onHeadersComplete } = prototype
  prototype.onHeadersComplete = function (status, upgrade, ...rest) {
    // After a 101 its parser takes all that follows for a body: there is no reading on.
    return onHeadersComplete.call(this, status === 100 ? 102 : status, upgrade || status === 101, ...rest)
  }
}
