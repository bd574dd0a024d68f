import type { Client, Pool } from 'undici'

/**
 * Of undici what talks to one server, without `fetch` and all else: that takes 25 ms to load, and the whole 65, in which a
 * start cannot see what Kafka answers. What its index.js does for these two is done here, too.
 */
export async function loadUndici(): Promise<{ Client: typeof Client; Pool: typeof Pool }> {
  const [client, pool, dispatcher, api] = await Promise.all([
    import('undici/lib/dispatcher/client.js'),
    import('undici/lib/dispatcher/pool.js'),
    import('undici/lib/dispatcher/dispatcher.js'),
    import('undici/lib/api/index.js'),
  ])
  Object.assign(dispatcher.default.prototype, api.default)
  return { Client: client.default, Pool: pool.default }
}
