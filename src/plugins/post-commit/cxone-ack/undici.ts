import type { Client, Dispatcher, Pool } from 'undici'

export interface Undici {
  readonly Client: typeof Client
  readonly Pool: typeof Pool
  /** To be called with each dispatcher before its first request. */
  readPastContinue(dispatcher: Dispatcher): void
}

/**
 * Of undici what talks to one server, without `fetch` and all else: that takes 25 ms to load, and the whole 65, in which a
 * start cannot see what Kafka answers. They have `dispatch`, which is all that is used; `request` and its like are not there.
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
