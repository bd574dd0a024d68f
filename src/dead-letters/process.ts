import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import { builtFile } from '../process/package.js'
import type { Settings } from '../process/settings.js'
import { Channel } from '../workers/channel.js'
import type { FromLetters, LettersRequest, RunState, ToLetters } from './messages.js'

/** The file descriptor of the channel in the child process. */
export const LETTERS_FD = 3
/** MiB of its heap. */
const MEMORY = 512
/** Milliseconds. Without requests for so long, the process ends. */
const IDLE = 5 * 60_000
const TIMEOUT = 60_000

interface Pending {
  resolve(result: object): void
  reject(error: HeadgateError): void
}

/** A child process that works through the dead letters of one pipeline. */
class LettersProcess {
  readonly revision: string
  run: RunState | undefined
  readonly #child: ChildProcess
  readonly #channel: Channel<ToLetters, FromLetters>
  readonly #pending = new Map<number, Pending>()
  #numbers = 0
  #idle: NodeJS.Timeout | undefined

  constructor(settings: Settings, config: CheckedConfig, pipeline: string, onEnded: () => void) {
    this.revision = config.revision
    const args = [`--max-old-space-size=${MEMORY}`, builtFile('cli.js'), 'dead-letters']
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
    this.#channel = new Channel(this.#child.stdio[LETTERS_FD] as Duplex)
    this.#channel.onMessage((message) => this.#take(message))
    this.#child.on('error', () => {})
    this.#child.once('close', () => {
      clearTimeout(this.#idle)
      this.#fail('The process that reads the dead letters has ended.')
      if (this.run?.state === 'running') this.run = ended(this.run)
      onEnded()
    })
    const { revision, watched } = config
    const files = { revision, watched, contents: [...config.contents()] }
    this.#channel.send({ kind: 'start', settings, files, pipeline })
  }

  ask(request: LettersRequest): Promise<object> {
    clearTimeout(this.#idle)
    const number = ++this.#numbers
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.kill('it took longer than 60 s'), TIMEOUT)
      const settled = () => {
        clearTimeout(late)
        this.#pending.delete(number)
        this.#idleSoon()
      }
      this.#pending.set(number, {
        resolve: (result) => {
          settled()
          resolve(result)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      })
      this.#channel.send({ kind: 'request', number, request })
    })
  }

  /** A run that is under way can be continued by the next one: nothing is sent twice. */
  kill(why: string): void {
    this.#child.kill('SIGTERM')
    this.#fail(`The dead letters cannot be read: ${why}.`)
  }

  #idleSoon(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      if (this.#pending.size > 0 || this.run?.state === 'running') this.#idleSoon()
      else this.kill('nobody asked for them')
    }, IDLE).unref()
  }

  #take(message: FromLetters): void {
    if (message.kind === 'run') this.run = message.run
    else if (message.kind === 'response') this.#pending.get(message.number)?.resolve(message.result)
    else this.#pending.get(message.number)?.reject(new HeadgateError(message.code, message.message))
  }

  #fail(why: string): void {
    for (const pending of this.#pending.values()) pending.reject(new HeadgateError('HG_ADMIN_QUESTION', why))
  }
}

const ended = (run: RunState): RunState => ({
  ...run,
  state: 'ended',
  result: {
    ...{ settled: run.done, settledByOthers: 0, inDoubt: 0, notTried: run.total - run.done },
    refused: { count: 0, first: [] },
    reason: 'its process ended; run it again: no dead letter is sent twice',
  },
})

/**
 * The dead letters of the running config, for the admin API: each pipeline's in a child process (the hidden command
 * `dead-letters`) for as long as somebody asks, because reading and judging thousands of them would block the event loop here.
 */
export class DeadLetterProcesses {
  readonly #settings: Settings
  readonly #config: () => CheckedConfig
  readonly #byPipeline = new Map<string, LettersProcess>()
  /** Of processes that have ended. */
  readonly #lastRuns = new Map<string, RunState>()

  constructor(settings: Settings, config: () => CheckedConfig) {
    this.#settings = settings
    this.#config = config
  }

  /** Rejects with HG_ADMIN_QUESTION, or with the error of the process. */
  ask(pipeline: string, request: LettersRequest): Promise<object> {
    return this.#process(pipeline).ask(request)
  }

  /** The last replay or discard; undefined if there was none. */
  run(pipeline: string): RunState | undefined {
    return this.#byPipeline.get(pipeline)?.run ?? this.#lastRuns.get(pipeline)
  }

  close(): void {
    for (const running of this.#byPipeline.values()) running.kill('Headgate is shutting down')
  }

  #process(pipeline: string): LettersProcess {
    const existing = this.#byPipeline.get(pipeline)
    const config = this.#config()
    if (existing !== undefined) {
      if (existing.revision === config.revision || existing.run?.state === 'running') return existing
      existing.kill('the config has changed')
      this.#byPipeline.delete(pipeline)
    }
    const started: LettersProcess = new LettersProcess(this.#settings, config, pipeline, () => {
      if (started.run !== undefined) this.#lastRuns.set(pipeline, started.run)
      if (this.#byPipeline.get(pipeline) === started) this.#byPipeline.delete(pipeline)
    })
    this.#byPipeline.set(pipeline, started)
    return started
  }
}
