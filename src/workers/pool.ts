import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { Log, Outcome } from '../contract/index.js'
import { SerialQueue, untilAborted } from '../lib/async.js'
import type { ProcessMetrics } from '../metrics/registry.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import type { Fronts, NextConfig } from '../pipeline/reload/fronts.js'
import type { TargetState } from '../pipeline/target-state.js'
import type { Settings } from '../process/settings.js'
import { type Attempts, createAttempts } from './attempts.js'
import { createGenerations } from './generations.js'
import { type KeptUp, keepUp } from './keep-up.js'
import { listeningPort } from './listening-port.js'
import type { ConfigMessage, Report, Request, ToPrimary, ToWorker } from './messages.js'
import { toOutcomeMessage } from './outcome-message.js'
import { type StartWorker, startWorker, type WorkerProcess } from './process.js'
import { takeHanded } from './take-handed.js'
import { showWorkers } from './worker-metrics.js'

export interface WorkersOptions {
  readonly count: number
  readonly settings: Settings
  readonly metrics: ProcessMetrics
  readonly log: Log
  /** Writes a line of a worker's log. */
  line(line: string): void
  targetStateOf(pipeline: string): TargetState
  /** Aborted when nobody waits any more: workers are ended then. */
  readonly signal: AbortSignal
  /** Without it, real processes. */
  readonly start?: StartWorker
}

/** The workers of a process: they take events in, hand over what is to become of them, and make attempts at acknowledging. */
export interface Workers extends Fronts, Pick<Attempts, 'throughWorkers'> {
  /** Starts them under the first config; resolves with the URL that they listen on. Rejects where one cannot. */
  start(config: CheckedConfig, pipelines: readonly Pipeline[]): Promise<string>
  /** Why they do not take events. */
  notReady(): readonly string[]
  /** Has them say what they have counted. Resolves when it is known, or a worker is too slow. */
  report(): Promise<void>
  /** Tells all of them. */
  tell(message: Extract<ToWorker, { kind: 'target-state' | 'level' | 'renew-certificates' }>): void
  /** Has them answer what is in flight, and end. */
  stop(): Promise<void>
}

/** All in milliseconds. */
const START_WITHIN = 60_000
const PREPARE_WITHIN = 60_000
const ARM_WITHIN = 10_000
const REPORT_WITHIN = 1000

/** A config that was abandoned had a pipeline that was new, and somebody knew its path already. */
const NEVER_RAN: Outcome = {
  kind: 'unavailable',
  id: undefined,
  error: new HeadgateError('HG_INTAKE_STOPPING', 'This pipeline takes no events.'),
}

interface Running {
  readonly worker: WorkerProcess
  report: Report | undefined
}

export function createWorkers(options: WorkersOptions): Workers {
  const { count, settings, metrics, log, targetStateOf, signal, start: startProcess = startWorker } = options
  const generations = createGenerations<WorkerProcess>()
  /** A worker is started under one config, and a reload waits for that. */
  const changing = new SerialQueue()
  const up = new Map<number, Running>()
  const processes = new Set<WorkerProcess>()
  let levels: readonly (readonly [name: string, level: string])[] = []
  let current: {
    readonly message: ConfigMessage
    readonly config: CheckedConfig
    readonly pipelines: readonly Pipeline[]
  }
  let next: typeof current | undefined
  let release = (): void => {}
  const stopping = new AbortController()
  const attempts = createAttempts(stopping.signal)
  let started = false
  let { port } = settings

  const shown = showWorkers(metrics, count, () => [...up.values()].map(({ report }) => report))
  const scopeOf = ({ pipeline }: { readonly [label: string]: string }) =>
    pipeline === undefined || pipeline === 'none'
      ? metrics
      : current.pipelines.find(({ name }) => name === pipeline)?.runtime.metrics

  function take(
    message: Exclude<ToPrimary, { kind: 'answer' }>,
    parts: readonly Buffer[],
    from: WorkerProcess,
  ) {
    if (message.kind === 'event') {
      const pipeline = generations.pipeline(message.generation, message.pipeline)
      if (pipeline === undefined) from.tell(toOutcomeMessage(message.number, NEVER_RAN, undefined))
      else takeHanded(pipeline, message, parts, from.tell)
    } else if (message.kind === 'attempted') attempts.ended(message, from)
    else if (message.kind === 'report') {
      metrics.add(message.report.counts, scopeOf)
      const running = up.get(from.place)
      if (running?.worker === from) running.report = message.report
    } else if (message.kind === 'left') generations.left(message.generation, from)
    else options.line(message.line)
  }

  /** Starts one process and waits until it listens; resolves with where. */
  async function bringUp(place: number): Promise<{ readonly worker: WorkerProcess; readonly url: string }> {
    const worker = startProcess(place, (message, parts) => take(message, parts, worker))
    processes.add(worker)
    void worker.ended.then(() => {
      processes.delete(worker)
      attempts.gone(worker)
    })
    const end = await changing.hold()
    try {
      const answer = await worker.ask(startRequest(place), START_WITHIN)
      if (answer?.url === undefined) throw new HeadgateError('HG_WORKER_FAILED', `Worker ${place} has ended.`)
      up.set(place, { worker, report: undefined })
      attempts.up(worker)
      return { worker, url: answer.url }
    } catch (error) {
      worker.kill()
      await worker.ended
      throw error
    } finally {
      end()
    }
  }

  const startRequest = (place: number): Request => ({
    kind: 'start',
    worker: place,
    workers: count,
    settings: { ...settings, port },
    config: { ...current.message, targetStates: targetStatesOf(current.pipelines) },
    levels,
  })
  const targetStatesOf = (pipelines: readonly Pipeline[]) =>
    Object.fromEntries(pipelines.map(({ name }) => [name, targetStateOf(name)]))

  const keptUp: KeptUp = {
    bringUp: async (place) => (await bringUp(place)).worker,
    gone(worker) {
      up.delete(worker.place)
      generations.gone(worker)
    },
    restarted: shown.restarted,
    log,
    stopping: stopping.signal,
  }

  /** Of those that are up now. That one ends meanwhile is no reason to fail: it comes back under the config that runs. */
  async function askAll(request: Request, within: number): Promise<void> {
    const asked = [...up.values()].map(({ worker }) => worker.ask(request, within))
    const failed = (await Promise.allSettled(asked)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }
  const tellAll = (message: ToWorker): void => {
    for (const { worker } of up.values()) worker.tell(message)
  }
  const toMessage = (
    { revision, contents }: CheckedConfig,
    pipelines: readonly Pipeline[],
  ): ConfigMessage => ({
    generation: generations.add(pipelines),
    revision,
    contents: [...contents()],
    targetStates: targetStatesOf(pipelines),
  })

  return {
    throughWorkers: attempts.throughWorkers,
    async start(config, pipelines) {
      attempts.under(config)
      current = { message: toMessage(config, pipelines), config, pipelines }
      port = await listeningPort(settings.host, port)
      const places = Array.from({ length: count }, (_, index) => index + 1)
      const begun = await Promise.all(places.map(bringUp))
      started = true
      for (const { worker } of begun) void keepUp(worker, keptUp)
      return begun[0]?.url ?? ''
    },
    async prepare({ config, pipelines, anew }: NextConfig) {
      release = await changing.hold()
      next = { message: toMessage(config, pipelines), config, pipelines }
      await askAll({ kind: 'prepare', config: next.message, anew }, PREPARE_WITHIN)
    },
    arm: () => askAll({ kind: 'arm' }, ARM_WITHIN),
    commit() {
      if (next === undefined) throw new HeadgateError('HG_RELOAD_FAILED', 'The workers have no next config.')
      const before = current.message.generation
      current = next
      next = undefined
      tellAll({ kind: 'commit' })
      attempts.under(current.config)
      generations.leave(
        before,
        [...up.values()].map(({ worker }) => worker),
      )
      release()
    },
    abandon() {
      if (next === undefined) return
      generations.drop(next.message.generation)
      next = undefined
      tellAll({ kind: 'abandon' })
      release()
    },
    left: generations.ended,
    notReady: () => [
      ...(up.size === 0 && started ? ['No worker takes events; they are being replaced.'] : []),
      ...new Set([...up.values()].flatMap(({ report }) => report?.notReady ?? [])),
    ],
    report: () => askAll({ kind: 'report' }, REPORT_WITHIN).catch(() => {}),
    tell(message) {
      if (message.kind === 'level') {
        levels = [...levels.filter(([name]) => name !== message.name), [message.name, message.level]]
      }
      tellAll(message)
    },
    async stop() {
      stopping.abort()
      const running = [...up.values()].map(({ worker }) => worker)
      const within = 2 ** 31 - 1
      for (const worker of processes) {
        if (!running.includes(worker)) worker.kill()
        else void worker.ask({ kind: 'stop' }, within).catch(() => {})
      }
      const ended = Promise.all([...processes].map((worker) => worker.ended))
      await untilAborted(ended, signal)
      for (const worker of processes) worker.kill()
      await ended
    },
  }
}
