import type { Lease, Log, Shareable, SharedContext } from '../contract/index.js'
import { type MetricsRegistry, type MetricsScope, pluginMetrics } from '../metrics/registry.js'

/** Everything that stages of the process use together. */
export interface Shared {
  /** `owner`: the plugin, whose keys are its own. `name`: that of a new one. */
  lease<Thing extends Shareable>(
    owner: string,
    key: string,
    name: string,
    create: (context: SharedContext) => Thing,
  ): Lease<Thing>
}

export interface SharedOptions {
  readonly metrics: MetricsRegistry
  log(fields: { readonly [name: string]: string }): Log
  readonly signal: AbortSignal
}

interface Entry {
  readonly thing: Shareable
  readonly metrics: MetricsScope
  users: number
}

export function createShared({ metrics, log, signal }: SharedOptions): Shared {
  const entries = new Map<string, Entry>()
  function make(name: string, create: (context: SharedContext) => Shareable): Entry {
    const scope = metrics.scope()
    const context = {
      name,
      log: log({ sink: name }),
      metrics: pluginMetrics(scope, { sink: name }),
      signal,
    }
    const thing = create(context)
    // Of two with one name, as while a reload replaces one by the other, the newer one's gauges are shown.
    scope.show()
    return { thing, metrics: scope, users: 0 }
  }

  return {
    lease<Thing extends Shareable>(
      owner: string,
      key: string,
      name: string,
      create: (context: SharedContext) => Thing,
    ) {
      const full = `${owner} ${key}`
      const entry = entries.get(full) ?? make(name, create)
      entries.set(full, entry)
      entry.users++
      let released: Promise<void> | undefined
      const release = async (): Promise<void> => {
        if (--entry.users > 0) return
        // From now on a new user gets a new one: this one cannot be used any more.
        entries.delete(full)
        await entry.thing.stop()
        entry.metrics.close()
      }
      return {
        thing: entry.thing as Thing,
        release() {
          released ??= release()
          return released
        },
      }
    },
  }
}
