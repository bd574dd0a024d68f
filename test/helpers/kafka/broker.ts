import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { endWithUs } from '../processes/end-with-us.js'
import { java } from './class-path.js'

const run = promisify(execFile)

/** One node of a cluster: broker and controller in one process. */
export interface KafkaBroker {
  readonly id: number
  /** `host:port`. */
  readonly address: string
  /** Resolves when it takes requests. */
  start(): Promise<void>
  /** By its own shutdown, which first moves its leaderships. */
  stop(): Promise<void>
  /** By SIGKILL. Its data stays on disk for the next `start`. */
  kill(): Promise<void>
  /** Freezes it: connections stay open, and it does not respond. */
  pause(): void
  resume(): void
}

export interface BrokerOptions {
  readonly id: number
  readonly address: string
  readonly classPath: string
  readonly jvm: readonly string[]
  /** Of the cluster; goes when this process ends. Settings, data and log of the broker stand below it. */
  readonly directory: string
  readonly clusterId: string
  readonly properties: { readonly [name: string]: string }
}

const READY = 'Kafka Server started'
const START_TIMEOUT = 60_000
const POLL = 50
const LOG_LINES_SHOWN = 30

/** A broker that has its storage, and is not started yet. */
export async function formatBroker(options: BrokerOptions): Promise<KafkaBroker> {
  const { id, address, directory, clusterId, properties } = options
  const home = join(directory, String(id))
  mkdirSync(home)
  const settings = join(home, 'server.properties')
  const logFile = join(home, 'broker.log')
  const command = (main: string, ...args: string[]) => [
    ...options.jvm,
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    ...['-cp', options.classPath, main, ...args],
  ]
  const lines = Object.entries({ ...properties, 'log.dirs': join(home, 'data') })
  writeFileSync(settings, lines.map(([name, value]) => `${name}=${value}\n`).join(''))
  writeFileSync(logFile, '')
  await run(java, command('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', settings))

  let child: ChildProcess | undefined
  let callOff = () => {}

  async function end(signal: NodeJS.Signals): Promise<void> {
    const running = child
    child = undefined
    if (running === undefined) return
    if (running.exitCode === null && running.signalCode === null) {
      const exited = once(running, 'exit')
      running.kill(signal)
      // A frozen process hears nothing but SIGKILL.
      running.kill('SIGCONT')
      await exited
    }
    callOff()
  }

  return {
    id,
    address,
    async start() {
      const log = openSync(logFile, 'a')
      const seen = readFileSync(logFile).length
      const started = spawn(java, command('kafka.Kafka', settings), { stdio: ['ignore', log, log] })
      closeSync(log)
      child = started
      if (started.pid !== undefined) callOff = endWithUs(started.pid, directory)
      const deadline = Date.now() + START_TIMEOUT
      for (;;) {
        const text = readFileSync(logFile).subarray(seen).toString()
        if (text.includes(READY)) return
        const ended = started.exitCode !== null || started.signalCode !== null
        if (ended || Date.now() > deadline) {
          await end('SIGKILL')
          const tail = text.split('\n').slice(-LOG_LINES_SHOWN).join('\n')
          throw new Error(
            `Kafka broker ${id} ${ended ? 'ended while it started' : 'did not get ready'}. Its log:\n${tail}`,
          )
        }
        await delay(POLL)
      }
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  }
}
