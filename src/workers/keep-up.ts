import { setTimeout as wait } from 'node:timers/promises'
import { asHeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import type { WorkerProcess } from './process.js'
import { restartPause } from './restart-pause.js'

export interface KeptUp {
  /** Starts a worker in the place of one that has ended. Rejects where it does not come up. */
  bringUp(place: number): Promise<WorkerProcess>
  /** A worker has ended. */
  gone(worker: WorkerProcess): void
  /** It had not been told to. */
  restarted(): void
  readonly log: Log
  /** Aborted when workers may end. */
  readonly stopping: AbortSignal
}

/** Replaces a worker that ends by itself, and those after it in its place, until `stopping` is aborted. */
export async function keepUp(first: WorkerProcess, around: KeptUp): Promise<void> {
  const { log, stopping } = around
  let pause = 0
  for (let worker = first; ; ) {
    const end = await worker.ended
    around.gone(worker)
    if (stopping.aborted) return
    around.restarted()
    pause = restartPause(performance.now() - worker.startedAt, pause)
    log.error(
      { event: 'worker-ended', worker: worker.place, pid: worker.pid, ...end, pause },
      'a worker has ended by itself; its senders deliver again, and it is replaced',
    )
    let replacement = await replace(worker.place, pause, around)
    while (replacement === undefined && !stopping.aborted) {
      pause = restartPause(0, pause)
      replacement = await replace(worker.place, pause, around)
    }
    if (replacement === undefined) return
    worker = replacement
  }
}

async function replace(
  place: number,
  pause: number,
  { bringUp, log, stopping }: KeptUp,
): Promise<WorkerProcess | undefined> {
  await wait(pause, undefined, { signal: stopping }).catch(() => {})
  if (stopping.aborted) return undefined
  try {
    const worker = await bringUp(place)
    log.info({ event: 'worker-started', worker: place, pid: worker.pid }, 'a worker has been replaced')
    return worker
  } catch (thrown) {
    const { code, message } = asHeadgateError(thrown, 'Starting a worker')
    if (!stopping.aborted) log.error({ code, worker: place }, `a worker could not be replaced: ${message}`)
    return undefined
  }
}
