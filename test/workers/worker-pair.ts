import { onTestFinished } from 'vitest'
import type { Intake } from '../../src/contract/index.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { stopPipeline } from '../../src/pipeline/lifecycle.js'
import type { BuiltPostCommit, Pipeline } from '../../src/pipeline/pipeline.js'
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
import { readText, runningPipeline } from '../helpers/inline-pipeline.js'
import { type InlinePlugins, inlineConfig } from '../helpers/inline-plugins.js'
import { duplexPair } from './duplex-pair.js'

export interface WorkerPair {
  /** What the plugins do, in the front and in the back alike. */
  readonly inline: InlinePlugins
  /** As the source of the worker has it. */
  readonly intake: Intake
  readonly front: Pipeline
  readonly back: Pipeline
  readonly taps: Set<Tap>
  /** Attempts that the worker was asked for. */
  readonly asked: readonly AttemptMessage[]
  readonly frontMetrics: ProcessMetrics
  readonly frontLines: readonly LogLine[]
  readonly backLines: readonly LogLine[]
  /** The value of a series of the primary process. */
  metric(series: string): Promise<number | undefined>
  /** The primary process sees that it has ended. */
  endWorker(): void
}

/** A pipeline whose front hands over to its back as a worker does to its primary process, in one process. */
export async function workerPair(settings: object = {}): Promise<WorkerPair> {
  const worker = { slot: 1, sendLazily: (message: ToWorker) => toWorker.sendLazily(message) } as WorkerProcess
  const attempts = createAttempts(new AbortController().signal)
  const { offloadToWorkers } = attempts
  const running = await runningPipeline(settings, undefined, { offloadToWorkers })
  const { inline, pipeline: back, lines: backLines, metric, taps } = running
  const read = readText(inlineConfig(settings), inline.definitions)
  const [checked] = read.ok ? read.config.pipelines : []
  if (!read.ok || checked === undefined) throw new Error('the config has no pipeline')
  const asked: AttemptMessage[] = []
  const [workerEnd, primaryEnd] = duplexPair()
  const toPrimary = new Channel<ToPrimary, ToWorker>(workerEnd)
  const toWorker = new Channel<ToWorker, ToPrimary>(primaryEnd)
  toWorker.onMessage((message, parts) => {
    if (message.kind === 'event') commitForWorker(back, message, parts, (answer) => toWorker.send(answer))
    else if (message.kind === 'attempted') attempts.settle(message, worker)
  })
  const commits = new RemoteCommits(toPrimary.send, () => ({ generation: 1, pipeline: 0 }))
  toPrimary.onMessage((message) => {
    if (message.kind === 'outcome') commits.settle(message)
    else if (message.kind === 'attempt') {
      asked.push(message)
      void makeAttempt(
        (front.stages.postCommit[message.stage] as BuiltPostCommit).stage,
        message,
        toPrimary.sendLazily,
      )
    }
  })
  const { log, lines: frontLines } = testContext()
  const frontMetrics = new ProcessMetrics()
  const { signal } = new AbortController()
  const front = buildWorkerPipeline(read.config, checked, {
    metrics: frontMetrics,
    log: () => log,
    http: () => ({ memory: { take: () => true, add() {}, release() {} }, serve: () => () => {} }),
    remoteCommit: commits.commit,
    signal,
  })
  await Transition.start([front], signal)
  attempts.addWorker(worker)
  attempts.setConfig(read.config)
  onTestFinished(async () => void (await stopPipeline(front, signal)))
  return {
    inline,
    intake: inline.intake,
    front,
    back,
    taps,
    asked,
    frontMetrics,
    frontLines,
    backLines,
    metric,
    endWorker: () => attempts.removeWorker(worker),
  }
}
