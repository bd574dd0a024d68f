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
/** The last line of an end by a signal of its own (`src/lib/native-calls.ts`). */
const BY_FORCE = 'Headgate ends itself by '

/** Headgate as a service manager runs it, always on the same ports and state directory. Its methods wait for each other. */
export class KeptHeadgate {
  /** Unexpected events of its own, in sentences. */
  readonly troubles: Trouble[] = []
  readonly #options: KeepOptions
  readonly #queue = new SerialQueue()
  readonly #logs: (readonly string[])[] = []
  #running: HeadgateProcess | undefined
  /** The process that has been told to end. */
  #ending: HeadgateProcess | undefined

  constructor(options: KeepOptions) {
    this.#options = options
  }

  /** Whether it runs and has not been told to end, as a load balancer sees it. */
  get takesEvents(): boolean {
    return this.#running !== undefined && this.#running !== this.#ending
  }

  /** Starts it, unless it runs, and waits until it accepts events. */
  start(): Promise<void> {
    return this.#queue.run(() => this.#start())
  }

  /** One fault at a time. */
  carryOut(fault: HeadgateFault): Promise<void> {
    return this.#queue.run(() => this.#carryOut(fault))
  }

  /** Kills one of its workers, if there is any. */
  killWorker(number: number): void {
    if (this.#running === undefined) return
    try {
      const workers = workerPids(this.#running.pid)
      const victim = workers[number % workers.length]
      if (victim !== undefined) process.kill(victim, 'SIGKILL')
    } catch {
      // The worker, or all of Headgate, has just ended by itself.
    }
  }

  /** Stops it as an operator does. Undefined if it does not run. */
  stop(): Promise<Exit | undefined> {
    return this.#queue.run(() => this.#end('SIGTERM'))
  }

  kill(): Promise<unknown> {
    return this.#queue.run(() => this.#end('SIGKILL'))
  }

  /** Resolves when it does not run. */
  async ended(): Promise<unknown> {
    return this.#running?.exited
  }

  /** The log lines of all its processes. */
  log(): string[] {
    return this.#logs.flat()
  }

  async #start(): Promise<void> {
    if (this.#running !== undefined) return
    const { name, config, env, signal } = this.#options
    try {
      const started = await startHeadgate({ config, env, signal, within: READY_WITHIN })
      this.#running = started
      this.#logs.push(started.lines)
      void started.exited.then((exit) => {
        if (this.#running === started) this.#running = undefined
        if (this.#ending !== started) this.#trouble(`${name} ended by itself, with ${endOf(exit)}.`)
      })
    } catch (error) {
      if (error instanceof NotStarted) this.#logs.push(error.lines)
      this.#trouble(error instanceof Error ? error.message : String(error))
    }
  }

  /** Starts it and kills it so soon that it may never have been ready. */
  async #startAndKill(after: number): Promise<void> {
    const { config, env, signal } = this.#options
    // Not AbortSignal.timeout within AbortSignal.any: Node 20 may collect it before it fires.
    const soon = new AbortController()
    const now = () => soon.abort()
    const timer = setTimeout(now, after * 1000)
    signal.addEventListener('abort', now, { once: true })
    try {
      const started = await startHeadgate({ config, env, signal: soon.signal, within: READY_WITHIN })
      this.#logs.push(started.lines)
      await started.exited
    } catch (error) {
      if (!soon.signal.aborted) this.#trouble(error instanceof Error ? error.message : String(error))
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', now)
    }
  }

  async #end(how: Interruption['signal']): Promise<Exit | undefined> {
    const process = this.#running
    if (process === undefined) return undefined
    this.#ending = process
    if (how === 'SIGKILL') process.kill(how)
    const exit = await (how === 'SIGTERM' ? process.stop() : process.exited)
    // With Kafka or CXone away it may end with 1 at its deadline, but it has to end by itself: by a signal while a call that waits for
    // a frozen broker does not return.
    const byItself = exit.code === 0 || exit.code === 1 || process.lines.at(-1)?.startsWith(BY_FORCE)
    const inOrder = how === 'SIGKILL' || byItself
    if (!inOrder) this.#trouble(`${this.#options.name} ended with ${endOf(exit)} after SIGTERM.`)
    return exit
  }

  async #interrupt({ signal: how, down, wiped, killedAgainAfter }: Interruption): Promise<void> {
    const { name, stateDir, signal, faults } = this.#options
    await this.#end(how)
    await wait(down * 1000, undefined, { signal })
    const wipe = () => rm(stateDir, { recursive: true, force: true })
    if (wiped) await faults.during('state directory wiped', `the state directory of ${name} was wiped`, wipe)
    if (killedAgainAfter !== undefined) {
      const what = `${name} was killed ${killedAgainAfter} s after it was started`
      await faults.during('Headgate killed while it starts', what, () => this.#startAndKill(killedAgainAfter))
    }
    await this.#start()
  }

  /** Its connections stay open, and it does not respond. */
  async #freeze(seconds: number): Promise<void> {
    const process = this.#running
    process?.kill('SIGSTOP')
    const frozen = wait(seconds * 1000, undefined, { signal: this.#options.signal })
    await frozen.finally(() => process?.kill('SIGCONT'))
  }

  #carryOut(fault: HeadgateFault): Promise<void> {
    const { name, faults } = this.#options
    if (fault.signal === 'SIGSTOP') {
      const what = `${name} was frozen for ${fault.lasts} s`
      return faults.during('Headgate frozen', what, () => this.#freeze(fault.lasts))
    }
    const kill = fault.signal === 'SIGKILL'
    const what = `${name} ${kill ? 'was killed' : 'got SIGTERM'}, was started ${fault.down} s after its end, and became ready`
    return faults.during(kill ? 'Headgate killed' : 'Headgate stopped by SIGTERM', what, () =>
      this.#interrupt(fault),
    )
  }

  #trouble(what: string): void {
    if (!this.#options.signal.aborted) this.troubles.push({ at: Date.now(), what })
  }
}

const endOf = ({ code, signal }: Exit): string => signal ?? `exit code ${code}`
