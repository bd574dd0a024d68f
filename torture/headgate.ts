import { rm } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { SerialQueue } from '../src/lib/async.js'
import {
  type Exit,
  type HeadgateProcess,
  NotStarted,
  startHeadgate,
} from '../src/sandbox/headgate-process.js'
import { workerPids } from '../test/helpers/processes/worker-pids.js'
import type { FaultLog, HeadgateFault, Interruption } from './schedule.js'

/** Headgate as a service manager runs it, always on the same ports and state directory. */
export interface KeptHeadgate {
  /** Whether it runs and has not been told to end, as a load balancer sees it. */
  readonly takesEvents: boolean
  /** Starts it, unless it runs, and waits until it accepts events. */
  start(): Promise<void>
  /** One fault at a time. */
  carryOut(fault: HeadgateFault): Promise<void>
  /** Kills one of its workers, if there is any. */
  killWorker(number: number): void
  /** Stops it as an operator does. Undefined if it does not run. */
  stop(): Promise<Exit | undefined>
  kill(): Promise<unknown>
  /** Resolves when it does not run. */
  ended(): Promise<unknown>
  /** Unexpected events of its own, in sentences. */
  readonly troubles: readonly Trouble[]
  /** The log lines of all its processes. */
  log(): string[]
}

/** When in milliseconds since 1970. */
export interface Trouble {
  readonly at: number
  readonly what: string
}

interface KeepOptions {
  /** For people. */
  readonly name: string
  readonly config: string
  readonly stateDir: string
  /** Ports and state directory included. */
  readonly env: { readonly [name: string]: string }
  /** Its abort kills Headgate by SIGKILL. */
  readonly signal: AbortSignal
  readonly faults: FaultLog
}

/** Even with a broker down and the state directory gone. */
const READY_WITHIN = 60_000

export function keepHeadgate({ name, config, stateDir, env, signal, faults }: KeepOptions): KeptHeadgate {
  const queue = new SerialQueue()
  const troubles: Trouble[] = []
  const logs: (readonly string[])[] = []
  let running: HeadgateProcess | undefined
  /** The process that has been told to end. */
  let ending: HeadgateProcess | undefined

  const trouble = (what: string) => {
    if (!signal.aborted) troubles.push({ at: Date.now(), what })
  }

  async function start(): Promise<void> {
    if (running !== undefined) return
    try {
      const started = await startHeadgate({ config, env, signal, within: READY_WITHIN })
      running = started
      logs.push(started.lines)
      void started.exited.then((exit) => {
        if (running === started) running = undefined
        if (ending !== started) trouble(`${name} ended by itself, with ${endOf(exit)}.`)
      })
    } catch (error) {
      if (error instanceof NotStarted) logs.push(error.lines)
      trouble(error instanceof Error ? error.message : String(error))
    }
  }

  /** Starts it and kills it so soon that it may never have been ready. */
  async function startAndKill(after: number): Promise<void> {
    // Not AbortSignal.timeout within AbortSignal.any: Node 20 may collect it before it fires.
    const soon = new AbortController()
    const now = () => soon.abort()
    const timer = setTimeout(now, after * 1000)
    signal.addEventListener('abort', now, { once: true })
    try {
      const started = await startHeadgate({ config, env, signal: soon.signal, within: READY_WITHIN })
      logs.push(started.lines)
      await started.exited
    } catch (error) {
      if (!soon.signal.aborted) trouble(error instanceof Error ? error.message : String(error))
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', now)
    }
  }

  async function end(how: Interruption['signal']): Promise<Exit | undefined> {
    const process = running
    if (process === undefined) return undefined
    ending = process
    if (how === 'SIGKILL') process.kill(how)
    const exit = await (how === 'SIGTERM' ? process.stop() : process.exited)
    // With Kafka or CXone away it may end with 1 at its deadline, but it has to end by itself.
    const inOrder = how === 'SIGKILL' || exit.code === 0 || exit.code === 1
    if (!inOrder) trouble(`${name} ended with ${endOf(exit)} after SIGTERM.`)
    return exit
  }

  async function interrupt({ signal: how, down, wiped, killedAgainAfter }: Interruption): Promise<void> {
    await end(how)
    await wait(down * 1000, undefined, { signal })
    const wipe = () => rm(stateDir, { recursive: true, force: true })
    if (wiped) await faults.during('state directory wiped', `the state directory of ${name} was wiped`, wipe)
    if (killedAgainAfter !== undefined) {
      const what = `${name} was killed ${killedAgainAfter} s after it was started`
      await faults.during('Headgate killed while it starts', what, () => startAndKill(killedAgainAfter))
    }
    await start()
  }

  /** Its connections stay open, and it does not respond. */
  async function freeze(seconds: number): Promise<void> {
    const process = running
    process?.kill('SIGSTOP')
    await wait(seconds * 1000, undefined, { signal }).finally(() => process?.kill('SIGCONT'))
  }

  function carryOut(fault: HeadgateFault): Promise<void> {
    if (fault.signal === 'SIGSTOP') {
      const what = `${name} was frozen for ${fault.lasts} s`
      return faults.during('Headgate frozen', what, () => freeze(fault.lasts))
    }
    const kill = fault.signal === 'SIGKILL'
    const what = `${name} ${kill ? 'was killed' : 'got SIGTERM'}, was started ${fault.down} s after its end, and became ready`
    return faults.during(kill ? 'Headgate killed' : 'Headgate stopped by SIGTERM', what, () =>
      interrupt(fault),
    )
  }

  return {
    get takesEvents() {
      return running !== undefined && running !== ending
    },
    start: () => queue.run(start),
    carryOut: (fault) => queue.run(() => carryOut(fault)),
    killWorker(number) {
      if (running === undefined) return
      try {
        const workers = workerPids(running.pid)
        const victim = workers[number % workers.length]
        if (victim !== undefined) process.kill(victim, 'SIGKILL')
      } catch {
        // The worker, or all of Headgate, has just ended by itself.
      }
    },
    stop: () => queue.run(() => end('SIGTERM')),
    kill: () => queue.run(() => end('SIGKILL')),
    ended: async () => running?.exited,
    troubles,
    log: () => logs.flat(),
  }
}

const endOf = ({ code, signal }: Exit): string => signal ?? `exit code ${code}`
