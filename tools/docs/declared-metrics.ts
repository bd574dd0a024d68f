import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { formatProblem } from '../../src/config/problem.js'
import { type CheckedConfig, readConfig } from '../../src/config/read.js'
import type { AnyDefinition, Log } from '../../src/contract/index.js'
import { openStateDirectory } from '../../src/ledger/state-directory.js'
import { countRefused, countResponses, showProcess } from '../../src/metrics/process.js'
import { createMetrics } from '../../src/metrics/registry.js'
import { showMetrics } from '../../src/pipeline/lifecycle.js'
import { createReloader } from '../../src/pipeline/reload/reloader.js'
import { createTaps } from '../../src/tap/taps.js'
import { certificateCounters, showCertificate } from '../../src/tls/certificate-metrics.js'
import { showWorkers } from '../../src/workers/worker-metrics.js'

/** A metric as a process with a certain config declares it. */
export interface DeclaredMetric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Names of its labels, and the values that are shown from the start. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>
}

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** Every metric of a process that runs the config at `path`, in the order in which they come up. Nothing is started. */
export async function declaredMetrics(
  path: string,
  plugins: readonly AnyDefinition[],
): Promise<readonly DeclaredMetric[]> {
  const config = read(path, plugins)
  const metrics = createMetrics()
  const folder = mkdtempSync(join(tmpdir(), 'headgate-metrics-'))
  const state = await openStateDirectory(folder, SILENT)
  try {
    countRefused(metrics)
    countResponses(metrics, 'none')
    const usage = () => ({ connections: 0, bodyBytes: 0 })
    showProcess(metrics, { ready: () => true, usage, maxConnections: 1, maxBodyMemory: 1 })
    showWorkers(metrics, 1, () => [])
    createTaps({ metrics, log: SILENT, secrets: () => new Map() })
    for (const listener of ['intake', 'admin']) {
      certificateCounters(metrics, listener)
      const now = () => ({ context: {}, from: 0, until: 0, digest: '' })
      showCertificate(metrics, listener, { now, refused: () => undefined })
    }
    const reloader = createReloader({
      config,
      surroundings: {
        metrics,
        log: () => SILENT,
        http(pipeline, lasting) {
          countResponses(lasting, pipeline)
          const memory = { take: () => true, add() {}, release() {} }
          return { memory, serve: () => () => {} }
        },
        state: state.database,
        signal: new AbortController().signal,
      },
      read: () => Promise.resolve({ ok: true, config }),
      onSecrets() {},
    })
    for (const pipeline of reloader.running()) showMetrics(pipeline)
    return await Promise.all(metrics.registry.getMetricsAsArray().map(describe))
  } finally {
    await state.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function read(path: string, plugins: readonly AnyDefinition[]): CheckedConfig {
  const result = readConfig(path, {
    plugins,
    environment: {},
    exposed: false,
    cwd: dirname(path),
    unresolved: 'placeholder',
  })
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'))
  return result.config
}

type RegisteredMetric = ReturnType<ReturnType<typeof createMetrics>['registry']['getMetricsAsArray']>[number]

async function describe(metric: RegisteredMetric): Promise<DeclaredMetric> {
  const { name, help, type, values } = await (metric as unknown as Described).get()
  const labels = new Map<string, Set<string>>()
  // Gauges say which labels they will have; those of the other kinds are known from the start.
  for (const label of (metric as { readonly labelNames?: readonly string[] }).labelNames ?? [])
    labels.set(label, new Set())
  for (const sample of values)
    for (const [label, value] of Object.entries(sample.labels))
      if (label !== 'le') labels.set(label, (labels.get(label) ?? new Set()).add(String(value)))
  return { name, help, type, labels }
}

/** What prom-client's registry asks of a metric. */
interface Described {
  get(): Promise<{
    readonly name: string
    readonly help: string
    readonly type: DeclaredMetric['type']
    readonly values: readonly { readonly labels: { readonly [label: string]: string | number } }[]
  }>
}
