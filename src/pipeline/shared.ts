import type { Lease, Log, Shareable, SharedContext } from '../contract/index.js'
import {
  type GaugeValue,
  type MetricsRegistry,
  type MetricsScope,
  pluginMetrics,
} from '../metrics/registry.js'

/** The resources that stages of the process share. */
export interface Shared {
  /** `owner`: the plugin; each plugin has its own keys. `name`: for a new resource, in logs and metrics. */
  lease<Thing extends Shareable>(
    owner: string,
    key: string,
    name: string,
    create: (context: SharedContext) => Thing,
  ): Lease<Thing>
  /** The values of their gauges now. */
  gauges(): GaugeValue[]
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
    // While a reload replaces a resource, two have the same name: the gauges of the newer one are shown.
    scope.show()
    return { thing, metrics: scope, users: 0 }
  }

  return {
    gauges: () => [...entries.values()].flatMap(({ metrics }) => metrics.gauges()),
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
        // The next user has to create another one: this one stops now.
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
