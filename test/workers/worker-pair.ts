import { onTestFinished } from 'vitest'
import type { Intake } from '../../src/contract/index.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { stopPipeline } from '../../src/pipeline/lifecycle.js'
import type { AttemptingStage, Pipeline, WorkerPipeline } from '../../src/pipeline/pipeline.js'
import { Transition } from '../../src/pipeline/reload/transition.js'
import type { Tap } from '../../src/pipeline/taps.js'
import { createAttempts, makeAttempt } from '../../src/workers/attempts.js'
import { Channel } from '../../src/workers/channel.js'
import { commitForWorker, RemoteCommits } from '../../src/workers/handover.js'
import type { ToPrimary, ToWorker } from '../../src/workers/messages.js'
import type { WorkerProcess } from '../../src/workers/process.js'
import type { AttemptMessage } from '../../src/workers/wire.js'
import { buildWorkerPipeline } from '../../src/workers/worker-pipeline.js'
import { type LogLine, testContext } from '../helpers/context.js'
import { readText, runningPipeline } from '../helpers/pipelines/inline-pipeline.js'
import { type InlinePlugins, inlineConfig } from '../helpers/pipelines/inline-plugins.js'
import { duplexPair } from './duplex-pair.js'

export interface WorkerPair {
  /** The behaviour of the plugins, in both pipelines. */
  readonly inline: InlinePlugins
  /** As the source of the worker has it. */
  readonly intake: Intake
  readonly workerPipeline: WorkerPipeline
  readonly primaryPipeline: Pipeline
  readonly taps: Set<Tap>
  /** Attempts that the worker was asked for. */
  readonly asked: readonly AttemptMessage[]
  readonly workerMetrics: ProcessMetrics
  readonly workerLines: readonly LogLine[]
  readonly primaryLines: readonly LogLine[]
  /** The value of a series of the primary process. */
  metric(series: string): Promise<number | undefined>
  /** The primary process sees that it has ended. */
  endWorker(): void
}

/** The pipelines of a worker and of its primary process, connected in one process. */
export async function workerPair(settings: object = {}): Promise<WorkerPair> {
  const worker = { slot: 1, sendLazily: (message: ToWorker) => toWorker.sendLazily(message) } as WorkerProcess
  const attempts = createAttempts(new AbortController().signal)
  const { offloadToWorkers } = attempts
  const running = await runningPipeline(settings, undefined, { offloadToWorkers })
  const { inline, pipeline: primaryPipeline, lines: primaryLines, metric, taps } = running
  const read = readText(inlineConfig(settings), inline.definitions)
  const [checked] = read.ok ? read.config.pipelines : []
  if (!read.ok || checked === undefined) throw new Error('the config has no pipeline')
  const asked: AttemptMessage[] = []
  const [workerEnd, primaryEnd] = duplexPair()
  const toPrimary = new Channel<ToPrimary, ToWorker>(workerEnd)
  const toWorker = new Channel<ToWorker, ToPrimary>(primaryEnd)
  toWorker.onMessage((message, parts) => {
    if (message.kind === 'event')
      commitForWorker(primaryPipeline, message, parts, (outcome) => toWorker.send(outcome))
    else if (message.kind === 'attempted') attempts.settle(message, worker)
  })
  const commits = new RemoteCommits(toPrimary.send, () => ({ generation: 1, pipeline: 0 }))
  toPrimary.onMessage((message) => {
    if (message.kind === 'outcome') commits.settle(message)
    else if (message.kind === 'attempt') {
      asked.push(message)
      void makeAttempt(
        workerPipeline.stages.postCommit[message.stage] as AttemptingStage,
        message,
        toPrimary.sendLazily,
      )
    }
  })
  const { log, lines: workerLines } = testContext()
  const workerMetrics = new ProcessMetrics()
  const { signal } = new AbortController()
  const workerPipeline = buildWorkerPipeline(read.config, checked, {
    metrics: workerMetrics,
    log: () => log,
    http: () => ({ memory: { take: () => true, add() {}, release() {} }, serve: () => () => {} }),
    commit: (pipeline, decided, context) => commits.commit(pipeline, decided, context),
    signal,
  })
  await Transition.start([workerPipeline], signal)
  attempts.addWorker(worker)
  attempts.setConfig(read.config)
  onTestFinished(async () => void (await stopPipeline(workerPipeline, signal)))
  return {
    inline,
    intake: inline.intake,
    workerPipeline,
    primaryPipeline,
    taps,
    asked,
    workerMetrics,
    workerLines,
    primaryLines,
    metric,
    endWorker: () => attempts.removeWorker(worker),
  }
}
