import type { DeclaredMetric } from './declared-metrics.js'

/** Labels, and whether their values are the same whatever the config says: then the page lists them. */
const LABELS: { readonly [label: string]: { readonly meaning: string; readonly listed?: true } } = {
  pipeline: {
    meaning: 'Name of the pipeline in the config; `none` for answers that belong to no pipeline.',
  },
  stage: {
    meaning:
      'Place and plugin of a stage, as `transform.1.route`; `dead-letter` is the way to the dead-letter topic.',
  },
  plugin: { meaning: 'Name of the plugin.' },
  outcome: { meaning: 'How it ended, from a fixed list.', listed: true },
  result: { meaning: 'What came of a reload.', listed: true },
  code: { meaning: 'Status of an answer, or an error code of [errors.md](errors.md).' },
  rule: { meaning: 'Name of a rule of `route` in the config; `otherwise` for the rest.' },
  revision: { meaning: 'Digest of the config.' },
  broker: { meaning: '`host:port/id` of a broker, as the Kafka client names it.' },
  quantile: { meaning: '`avg`, `p50` or `p99`.' },
  listener: { meaning: '`intake` or `admin`.' },
  reason: { meaning: 'Why a handshake failed, from a fixed list.', listed: true },
  worker: { meaning: 'Which of the workers, from 1 on; where HEADGATE_WORKERS asks for some.' },
  direction: { meaning: '`sent`, `received` or `timed-out`.' },
}

const INTRODUCTION = `Generated from the metrics that the shipped config declares; what \`/metrics\` on the admin port serves, in
the text format of Prometheus. Values of labels are names from the config and codes from fixed lists, never ids, paths or texts
of an event. Counters start at 0 with every series that is known then. A histogram has a series \`_bucket\` with the label \`le\`,
a \`_sum\` and a \`_count\`.

The dashboard \`deploy/grafana/headgate.json\` and the rules \`deploy/prometheus/headgate.rules.yaml\` are made of these; the
[runbooks](runbooks/README.md) have a page for each alert.`

/** The page `docs/metrics.md`. */
export function metricReference(metrics: readonly DeclaredMetric[]): string {
  const own = metrics.filter(isOwn).sort((a, b) => (a.name < b.name ? -1 : 1))
  const others = metrics.filter((metric) => !isOwn(metric))
  const labels = Object.entries(LABELS).map(([name, { meaning }]) => `| \`${name}\` | ${meaning} |`)
  return `${[
    '# Metrics',
    INTRODUCTION,
    '## Headgate',
    table(own),
    '## Labels',
    ['| label | meaning |', '|---|---|', ...labels].join('\n'),
    '## The process',
    'From Node.js and the operating system.',
    table(others),
  ].join('\n\n')}\n`
}

export const isOwn = ({ name }: Pick<DeclaredMetric, 'name'>): boolean => name.startsWith('headgate_')

const table = (metrics: readonly DeclaredMetric[]): string =>
  ['| metric | type | labels | unit | meaning |', '|---|---|---|---|---|', ...metrics.map(row)].join('\n')

function row(metric: DeclaredMetric): string {
  const { name, type, help } = metric
  return `| \`${name}\` | ${type} | ${labelsOf(metric)} | ${unitOf(metric)} | ${help} |`
}

function labelsOf(metric: DeclaredMetric): string {
  const shown = [...metric.labels].map(([label, values]) => {
    if (!isOwn(metric) || LABELS[label]?.listed === undefined) return `\`${label}\``
    return `\`${label}\` (${[...values].map((value) => `\`${value}\``).join(', ')})`
  })
  return shown.join(', ')
}

function unitOf({ name, help }: DeclaredMetric): string {
  if (name.endsWith('_timestamp_seconds') || name === 'process_start_time_seconds')
    return 'Unix time, seconds'
  if (/_seconds(_total)?$/.test(name)) return 'seconds'
  if (name.endsWith('_bytes')) return 'bytes'
  if (name.endsWith('_info')) return 'always 1'
  return /^[01] where/.test(help) ? '0 or 1' : 'count'
}
