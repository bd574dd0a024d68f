import { Registry } from 'prom-client'
import type { AnyDefinition, MetricDeclaration } from '../../src/contract/index.js'
import { fullName } from '../../src/metrics/families.js'
import { showRuntime } from '../../src/metrics/registry.js'
import { METRICS } from '../../src/metrics/table.js'

/** A metric as a scrape shows it. */
export interface DeclaredMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  /** Each label with the values that are always the same, if there are any. */
  readonly labels: { readonly [label: string]: readonly string[] }
}

/** Every metric of a process: of the engine, of `plugins`, and of Node.js. */
export const declaredMetrics = (plugins: readonly AnyDefinition[]): readonly DeclaredMetric[] => [
  ...Object.values(METRICS).map(declared),
  ...plugins.flatMap(({ metrics = [] }) =>
    metrics.map((one) => {
      const { labels, ...metric } = declared(one)
      return { ...metric, labels: { [one.owner ?? 'pipeline']: [], ...labels } }
    }),
  ),
  ...runtimeMetrics(),
]

function declared(declaration: MetricDeclaration): DeclaredMetric {
  const { help, type, labels } = declaration
  return { name: fullName(declaration), help, type, labels }
}

function runtimeMetrics(): DeclaredMetric[] {
  const registry = new Registry()
  showRuntime(registry)
  // prom-client's types do not show what each of its metrics has.
  const metrics = registry.getMetricsAsArray() as unknown as readonly {
    readonly name: string
    readonly help: string
    readonly type: string
    readonly labelNames: readonly string[]
  }[]
  return metrics.map(({ name, help, type, labelNames }) => ({
    name,
    help,
    type,
    labels: Object.fromEntries(labelNames.map((label) => [label, []])),
  }))
}

const LABELS: { readonly [label: string]: string } = {
  limit: 'Limit of `rateLimit` of the source.',
  pipeline: 'Name of the pipeline in the config; `none` for responses that belong to no pipeline.',
  sink: 'Name of the sink in `sinks`, or of the first pipeline that uses it.',
  stage:
    'Position and plugin of a stage, as `transform.1.route`; `dead-letter` is the stage that writes dead letters.',
  plugin: 'Name of the plugin.',
  outcome: 'Outcome of an event, a stage or an attempt.',
  result: 'Result of a reload, or of a transaction.',
  change: 'Whether the instance got partitions or gave them up.',
  code: 'Status of a response, or an error code of [errors.md](errors.md).',
  rule: 'Name of a rule of `route` in the config; `otherwise` for the rest.',
  revision: 'Digest of the config.',
  broker: '`host:port/id` of a broker, as the Kafka client names it.',
  quantile: 'Average or percentile.',
  listener: 'For senders or for operators.',
  reason: 'Reason why a handshake failed.',
  worker: 'Number of the worker, from 1 on; present if HEADGATE_WORKERS is set.',
  direction: 'Direction of a transmission.',
}

const INTRODUCTION = `Generated from the declarations of all metrics. \`/metrics\` on the admin port serves them in the text format
of Prometheus. Values of labels are names from the config and codes from fixed lists, never ids, paths or texts of an event.
Counters start at 0 with every series that is known then. A histogram has a series \`_bucket\` with the label \`le\`, a \`_sum\` and
a \`_count\`.

The dashboard \`deploy/grafana/headgate.json\` and the rules \`deploy/prometheus/headgate.rules.yaml\` query these metrics; the
[runbooks](runbooks/README.md) have a page for each alert.`

/** The page `docs/metrics.md`. */
export function metricReference(metrics: readonly DeclaredMetric[]): string {
  const own = metrics.filter(isOwn).sort((a, b) => (a.name < b.name ? -1 : 1))
  const others = metrics.filter((metric) => !isOwn(metric))
  const labels = Object.entries(LABELS).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`)
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

/** Lists of error codes are too long for a table. */
const MOST_LISTED = 8

function labelsOf({ labels }: DeclaredMetric): string {
  const shown = Object.entries(labels).map(([label, values]) =>
    values.length === 0 || values.length > MOST_LISTED
      ? `\`${label}\``
      : `\`${label}\` (${values.map((value) => `\`${value}\``).join(', ')})`,
  )
  return shown.join(', ')
}

function unitOf({ name, help }: DeclaredMetric): string {
  if (name.endsWith('_timestamp_seconds') || name === 'process_start_time_seconds')
    return 'Unix time, seconds'
  if (/_seconds(_total)?$/.test(name)) return 'seconds'
  // Of events "with the same id and other bytes".
  if (name.endsWith('_other_bytes')) return 'count'
  if (name.endsWith('_bytes')) return 'bytes'
  if (name.endsWith('_info')) return 'always 1'
  return /^1 if /.test(help) ? '0 or 1' : 'count'
}
