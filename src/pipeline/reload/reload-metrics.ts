import type { MetricsRegistry } from '../../metrics/registry.js'

const RESULTS = ['success', 'unchanged', 'failure'] as const

/** What can be seen of reloads from outside. */
export interface ReloadMetrics {
  came(result: (typeof RESULTS)[number]): void
  /** This config could be used, and is what runs. */
  running(revision: string): void
}

export function reloadMetrics(metrics: MetricsRegistry, successful: () => boolean): ReloadMetrics {
  const counter = (result: string) =>
    metrics.counter('config_reloads_total', 'Reloads of the config, by what came of them.', { result })
  const counters = new Map(RESULTS.map((result) => [result, counter(result)]))
  const info = metrics.gauge('config_revision_info', 'The revision of the config that runs.', ['revision'])
  let present: string | undefined
  let succeededAt = 0
  metrics.sampled(
    'config_last_reload_successful',
    '1 where the config on disk, as it was last looked at, is what runs.',
    {},
    () => (successful() ? 1 : 0),
  )
  metrics.sampled(
    'config_last_reload_success_timestamp_seconds',
    'When the config was last read and could be used.',
    {},
    () => succeededAt / 1000,
  )
  return {
    came: (result) => counters.get(result)?.inc(),
    running(revision) {
      if (present !== undefined) info.remove({ revision: present })
      present = revision
      info.set({ revision }, 1)
      succeededAt = Date.now()
    },
  }
}
