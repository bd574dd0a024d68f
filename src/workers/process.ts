import cluster from 'node:cluster'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { HeadgateError } from '../contract/errors.js'
import { CHANNEL_FD, createChannel } from './channel.js'
import { fromErrorText } from './error-text.js'
import type { Request, ToPrimary, ToWorker } from './messages.js'

/** How a process ended. */
export interface WorkerEnd {
  readonly code: number | null
  readonly signal: string | null
}

/** A worker as the primary process sees it. */
export interface WorkerProcess {
  /** From 1 on; that which replaces it has the same. */
  readonly place: number
  readonly pid: number | undefined
  /** On the clock of `performance.now`. */
  readonly startedAt: number
  /** Resolves when it has ended, and all that it had said has been taken. */
  readonly ended: Promise<WorkerEnd>
  /**
   * Resolves with the answer, or with undefined where it ends first. Rejects with the worker's error, and with
   * HG_WORKER_FAILED where it has not answered `within` so many milliseconds.
   */
  ask(request: Request, within: number): Promise<Answer | undefined>
  tell(message: ToWorker): void
  /** The same for what nobody waits for. */
  tellSoon(message: ToWorker): void
  kill(): void
}

export type StartWorker = (
  place: number,
  take: (message: Exclude<ToPrimary, { kind: 'answer' }>, parts: readonly Buffer[]) => void,
) => WorkerProcess

type Answer = Extract<ToPrimary, { kind: 'answer' }>

interface Asked {
  resolve(answer: Answer): void
  reject(error: HeadgateError): void
}

/** Starts a worker, which does nothing until it is asked to. Its socketpair is its own: nobody else can reach it. */
export const startWorker: StartWorker = (place, take) => {
  cluster.setupPrimary({
    // The command that runs, wherever the build has put this module.
    exec: process.argv[1] as string,
    args: ['worker'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
  })
  const worker = cluster.fork()
  // That it could not be started, or be sent a connection, shows by its end.
  worker.on('error', () => {})
  const child = worker.process
  const channel = createChannel<ToWorker, ToPrimary>(child.stdio[CHANNEL_FD] as unknown as Duplex)
  const asked = new Map<number, Asked>()
  let requests = 0
  channel.onMessage((message, parts) => {
    if (message.kind !== 'answer') {
      take(message, parts)
      return
    }
    const waiting = asked.get(message.number)
    if (message.error !== undefined) waiting?.reject(fromErrorText(message.error))
    else waiting?.resolve(message)
  })
  const closed = new Promise<void>((resolve) => channel.onClosed(resolve))
  const exited = once(child, 'exit').then(
    ([code, signal]): WorkerEnd => ({ code, signal }),
    // It could not even be started; its channel closes all the same.
    (): WorkerEnd => ({ code: null, signal: null }),
  )
  return {
    place,
    pid: child.pid,
    startedAt: performance.now(),
    ended: Promise.all([exited, closed]).then(([end]) => end),
    async ask(request, within) {
      const number = requests++
      const late = new HeadgateError(
        'HG_WORKER_FAILED',
        `Worker ${place} has not answered "${request.kind}" within ${within / 1000} s.`,
      )
      const answer = new Promise<Answer>((resolve, reject) => asked.set(number, { resolve, reject }))
      const timer = setTimeout(() => asked.get(number)?.reject(late), within)
      channel.send({ kind: 'request', number, request })
      try {
        return await Promise.race([answer, closed.then(() => undefined)])
      } finally {
        clearTimeout(timer)
        asked.delete(number)
      }
    },
    tell: (message) => channel.send(message),
    tellSoon: channel.sendSoon,
    kill: () => void child.kill('SIGKILL'),
  }
}
