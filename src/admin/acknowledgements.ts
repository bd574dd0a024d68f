import type { CheckedConfig } from '../config/read.js'
import type { MetricDeclaration } from '../contract/index.js'
import { withoutSecrets } from '../ledger/report.js'
import type { Series } from '../metrics/registry.js'
import type { AcknowledgerState } from '../pipeline/acknowledge.js'
import type { PrimaryPipeline } from '../pipeline/pipeline.js'
import type { AcknowledgementReport, AcknowledgingStage } from './api.js'
import { get, json, type Route } from './routes.js'

export interface AcknowledgementHost {
  readonly metrics: { read(declarations: readonly MetricDeclaration[]): readonly Series[] }
  config(): Pick<CheckedConfig, 'pipelines'>
  running(): readonly PrimaryPipeline[]
  redact(text: string): string
}

/** The acknowledgements of every pipeline that makes some. */
export function acknowledgementRoutes(host: AcknowledgementHost): Route[] {
  return [
    get('/acknowledgements', async () => {
      const reports = host
        .running()
        .filter(({ acknowledgers }) => acknowledgers.length > 0)
        .map((pipeline) => reportOf(pipeline, host))
      return json(200, { pipelines: await Promise.all(reports) })
    }),
  ]
}

async function reportOf(
  pipeline: PrimaryPipeline,
  host: AcknowledgementHost,
): Promise<AcknowledgementReport> {
  const { name, runtime, ledger, stages } = pipeline
  const { pending, failed } = withoutSecrets(await ledger.report(), host.redact)
  const checked = host.config().pipelines.find((one) => one.name === name)
  return {
    pipeline: name,
    state: runtime.targetState,
    pending,
    failed,
    stages: (await statesOf(pipeline)).map(({ limit, pausedFor, ...state }, index): AcknowledgingStage => {
      const stage = stages.postCommit[index]?.name ?? ''
      const { name: plugin = '', metrics = [] } = checked?.postCommit[index]?.definition ?? {}
      return {
        stage,
        plugin,
        ...state,
        ...(limit !== undefined && { limit: Math.round(limit * 10) / 10 }),
        pausedSeconds: Math.round(pausedFor / 100) / 10,
        figures: figuresOf(metrics, name, host),
      }
    }),
  }
}

async function statesOf(pipeline: PrimaryPipeline): Promise<readonly AcknowledgerState[]> {
  if (pipeline.role === 'supervised') return pipeline.ledger.acknowledgers()
  return pipeline.acknowledgers.map(({ acknowledger }) => acknowledger.state())
}

const figuresOf = (
  metrics: readonly MetricDeclaration[],
  pipeline: string,
  host: AcknowledgementHost,
): AcknowledgingStage['figures'] =>
  host.metrics
    .read(metrics.filter(({ type }) => type === 'gauge'))
    .filter(({ labels }) => labels['pipeline'] === pipeline)
    .map(({ declaration: { name, help }, values: [value = 0] }) => ({ name, help, value }))
