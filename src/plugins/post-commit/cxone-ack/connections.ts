import type { Client, Pool } from 'undici'
import { milliseconds } from '../../../lib/units.js'
import { MAX_ANSWER } from './exchange.js'
import type { Settings } from './settings.js'
import { loadUndici } from './undici.js'

/** The two servers that are talked to; often they are one. */
export interface Servers {
  readonly api: Pool
  readonly token: Client
}

export interface Connections {
  readonly apiOrigin: string
  /** What every path at the API starts with; empty where `baseUrl` has no path. */
  readonly apiPrefix: string
  readonly tokenPath: string
  /** A promise only until what talks to them has been loaded. */
  servers(): Servers | Promise<Servers>
  /** From when this resolves, everything under way ends when `signal` is aborted. */
  open(signal: AbortSignal): Promise<void>
  /** Lets requests to the API finish, unless `signal` is aborted meanwhile. */
  close(signal: AbortSignal): Promise<void>
}

/** Connects to nobody yet: that happens with the first request. */
export function createConnections(settings: Settings): Connections {
  const timeout = milliseconds(settings.timeout)
  // From when a request is sent, `exchange` has a deadline for all of it: undici's begin anew with each piece that comes.
  const limits = {
    connectTimeout: timeout,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_ANSWER,
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
        // close() alone never resolves where destroy() comes in between and requests were still queued in the pool.
        signal.addEventListener('abort', () => resolve(), { once: true })
        used.api.close().then(resolve, () => resolve())
      })
      signal.removeEventListener('abort', abort)
      abort()
    },
  }
}

/** Where tokens are asked for: `oauth.tokenUrl`, below `baseUrl` if it is a path. */
export function tokenUrlText({ baseUrl, oauth: { tokenUrl } }: Settings): string {
  return tokenUrl.startsWith('/') ? withoutSlash(baseUrl) + tokenUrl : tokenUrl
}

const withoutSlash = (text: string): string => (text.endsWith('/') ? text.slice(0, -1) : text)
