import { Client, Pool } from 'undici'
import { milliseconds } from '../../../units.js'
import { MAX_ANSWER } from './exchange.js'
import type { Settings } from './settings.js'

/** The two servers that are talked to; often they are one. */
export interface Connections {
  readonly api: Pool
  readonly apiOrigin: string
  /** What every path at the API starts with; empty where `baseUrl` has no path. */
  readonly apiPrefix: string
  readonly tokenServer: Client
  readonly tokenPath: string
  /** From now on, everything under way ends when `signal` is aborted. */
  open(signal: AbortSignal): void
  /** Lets requests to the API finish, unless `signal` is aborted meanwhile. */
  close(signal: AbortSignal): Promise<void>
}

/** Connects to nobody yet: that happens with the first request. */
export function createConnections(settings: Settings): Connections {
  const timeout = milliseconds(settings.timeout)
  const limits = {
    connectTimeout: timeout,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    maxResponseSize: MAX_ANSWER,
  }
  const apiUrl = new URL(settings.baseUrl)
  const tokenUrl = new URL(tokenUrlText(settings))
  const api = new Pool(apiUrl.origin, { ...limits, connections: settings.connections })
  const tokenServer = new Client(tokenUrl.origin, limits)
  const abort = (): void => {
    void api.destroy()
    void tokenServer.destroy()
  }

  return {
    api,
    apiOrigin: apiUrl.origin,
    apiPrefix: withoutSlash(apiUrl.pathname),
    tokenServer,
    tokenPath: tokenUrl.pathname + tokenUrl.search,
    open(signal) {
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
    },
    async close(signal) {
      await new Promise<void>((resolve) => {
        // close() alone never resolves where destroy() comes in between and requests were still queued in the pool.
        signal.addEventListener('abort', () => resolve(), { once: true })
        api.close().then(resolve, () => resolve())
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
