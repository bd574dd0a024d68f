import { onTestFinished } from 'vitest'
import type { Pipeline } from '../../src/pipeline/build.js'
import { startPipeline, stopPipeline } from '../../src/pipeline/lifecycle.js'
import { createMetrics, type ProcessMetrics } from '../../src/pipeline/metrics.js'
import type { Tap } from '../../src/pipeline/tap/watched.js'
import type { Intake } from '../../src/plugin.js'
import { createChannel } from '../../src/workers/channel.js'
import { frontPipeline } from '../../src/workers/front-pipeline.js'
import { createHandingOver } from '../../src/workers/hand-over.js'
import type { ToPrimary, ToWorker } from '../../src/workers/messages.js'
import { takeHanded } from '../../src/workers/take-handed.js'
import { type LogLine, testContext } from '../helpers/context.js'
import { readText, runningPipeline } from '../helpers/inline-pipeline.js'
import { type InlinePlugins, inlineConfig } from '../helpers/inline-plugins.js'
import { duplexPair } from './duplex-pair.js'

export interface FrontAndBack {
  /** What the plugins do, in the front and in the back alike. */
  readonly inline: InlinePlugins
  /** As the source of the worker has it. */
  readonly intake: Intake
  readonly front: Pipeline
  readonly back: Pipeline
  readonly taps: Set<Tap>
  readonly frontMetrics: ProcessMetrics
  readonly frontLines: readonly LogLine[]
  readonly backLines: readonly LogLine[]
  /** The value of a series of the primary process. */
  metric(series: string): Promise<number | undefined>
}

/** A pipeline whose front hands over to its back as a worker does to its primary process, in one process. */
export async function frontAndBack(settings: object = {}): Promise<FrontAndBack> {
  const { inline, pipeline: back, lines: backLines, metric, taps } = await runningPipeline(settings)
  const read = readText(inlineConfig(settings), inline.definitions)
  const [checked] = read.ok ? read.config.pipelines : []
  if (!read.ok || checked === undefined) throw new Error('the config has no pipeline')
  const [workerEnd, primaryEnd] = duplexPair()
  const toPrimary = createChannel<ToPrimary, ToWorker>(workerEnd)
  const toWorker = createChannel<ToWorker, ToPrimary>(primaryEnd)
  toWorker.onMessage((message, parts) => {
    if (message.kind === 'event') takeHanded(back, message, parts, (answer) => toWorker.send(answer))
  })
  const { handOver, ended } = createHandingOver(toPrimary.send, () => ({ generation: 1, pipeline: 0 }))
  toPrimary.onMessage((message) => {
    if (message.kind === 'outcome') ended(message)
  })
  const { log, lines: frontLines } = testContext()
  const frontMetrics = createMetrics()
  const { signal } = new AbortController()
  const front = frontPipeline(read.config, checked, {
    metrics: frontMetrics,
    log: () => log,
    http: () => ({ memory: { take: () => true, add() {}, release() {} }, serve: () => () => {} }),
    handOver,
    signal,
  })
  await startPipeline(front)
  onTestFinished(async () => void (await stopPipeline(front, signal)))
  return { inline, intake: inline.intake, front, back, taps, frontMetrics, frontLines, backLines, metric }
}
