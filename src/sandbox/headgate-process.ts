import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { builtFile } from '../process/package.js'

export interface HeadgateOptions {
  /** Path of the config file. */
  readonly config: string
  /**
   * Added to our environment without its `HEADGATE_*`. By default both ports are free ones, and the state directory is a new one
   * that is removed when the process ends; a directory that is named here is kept.
   */
  readonly env: Readonly<{ [name: string]: string }>
  /** Options of Node.js, for instance `--cpu-prof`. */
  readonly nodeOptions?: readonly string[]
  /** A program other than the built command, for instance that of a packed tree. */
  readonly program?: string
  /** Waits until it takes events, which is the default, or only until it listens. */
  readonly until?: 'listening' | 'ready'
  /** Timeout for that in milliseconds. */
  readonly within?: number
  /** Called with each log line. */
  readonly onLine?: (line: string) => void
  /** Kills the process when it is aborted, also while it starts. */
  readonly signal?: AbortSignal
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A child process of `headgate run`. */
export interface HeadgateProcess {
  readonly pid: number
  /** Base URLs of the two listeners. */
  readonly intake: string
  readonly admin: string
  /** The last log lines. */
  readonly lines: readonly string[]
  readonly exited: Promise<Exit>
  kill(signal: NodeJS.Signals): void
  /** Sends SIGTERM, and SIGKILL if the process does not end in time. */
  stop(): Promise<Exit>
}

const READY_WITHIN = 15_000
/** Longer than Headgate's own shutdown timeout. */
const STOP_WITHIN = 30_000
const POLL_EVERY = 10
const LINES_SHOWN = 20

/** With the last log lines in its message. */
export class NotStarted extends Error {
  readonly lines: readonly string[]
  constructor(reason: string, lines: readonly string[]) {
    super(['Headgate did not start.', reason, ...lines.slice(-LINES_SHOWN)].join('\n'))
    this.lines = lines
  }
}

/** Starts Headgate; rejects with `NotStarted` if it does not start. It ends when this process ends. */
export async function startHeadgate(options: HeadgateOptions): Promise<HeadgateProcess> {
  const {
    config,
    until = 'ready',
    within = READY_WITHIN,
    program = builtFile('cli.js'),
    nodeOptions = [],
    signal,
  } = options
  const ownStateDir =
    options.env['HEADGATE_STATE_DIR'] === undefined && (await mkdtemp(join(tmpdir(), 'headgate-')))
  const endWithParent = pathToFileURL(builtFile('sandbox/end-with-parent.js')).href
  const child = spawn(
    process.execPath,
    ['--import', endWithParent, ...nodeOptions, program, 'run', '--config', config],
    {
      // Its own process group: Ctrl-C in a terminal reaches only us, and we stop Headgate first and then its dependencies.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: environment(options.env, ownStateDir),
    },
  )
  const kill = () => void child.kill('SIGKILL')
  signal?.addEventListener('abort', kill)
  if (signal?.aborted) kill()
  const log = followLog(child, options.onLine)
  const exited = once(child, 'close').then(async ([code, exitSignal]): Promise<Exit> => {
    signal?.removeEventListener('abort', kill)
    if (ownStateDir) await rm(ownStateDir, { recursive: true, force: true })
    return { code, signal: exitSignal }
  })
  const stop = createStop(child, exited)
  try {
    const { intake, admin } = await waitUntilUp(child, log, until, within)
    return {
      pid: child.pid as number,
      intake,
      admin,
      lines: log.lines,
      exited,
      kill: (signal) => child.kill(signal),
      stop,
    }
  } catch (error) {
    await stop()
    const reason = error instanceof Error ? error.message : String(error)
    throw new NotStarted(reason, log.lines)
  }
}

function environment(env: HeadgateOptions['env'], ownStateDir: string | false): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('HEADGATE_'))
  return {
    ...Object.fromEntries(inherited),
    HEADGATE_PORT: '0',
    HEADGATE_ADMIN_PORT: '0',
    HEADGATE_LOG_FORMAT: 'json',
    ...(ownStateDir && { HEADGATE_STATE_DIR: ownStateDir }),
    ...env,
  }
}

async function waitUntilUp(child: ChildProcess, log: Log, until: 'listening' | 'ready', within: number) {
  let missing = 'it has not logged its addresses'
  for (const deadline = performance.now() + within; performance.now() < deadline; await wait(POLL_EVERY)) {
    if (hasEnded(child))
      throw new Error(`The process ended with ${child.signalCode ?? `exit code ${child.exitCode}`}.`)
    const listening = log.listening()
    if (listening === undefined) continue
    if (until === 'listening') return listening
    const ready = await fetch(new URL('/ready', listening.admin), { signal: AbortSignal.timeout(within) })
    missing = await ready.text()
    if (ready.ok) return listening
  }
  throw new Error(`Not ready within ${within / 1000} s: ${missing}`)
}

function createStop(child: ChildProcess, exited: Promise<Exit>): () => Promise<Exit> {
  let stopping: Promise<Exit> | undefined
  const stop = async () => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN)
    return exited.finally(() => clearTimeout(timer))
  }
  // Only once: a second SIGTERM makes Headgate stop without draining.
  return () => (stopping ??= stop())
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

const LINES_KEPT = 5000

/** The log of a Headgate process in JSON lines. */
interface Log {
  /** The last ones, in order. */
  readonly lines: readonly string[]
  /** Base URLs of the listeners, once they are logged. */
  listening(): { readonly intake: string; readonly admin: string } | undefined
}

/**
 * The message of a log line about a config that was edited while Headgate runs: that it is in effect, or why not. Undefined for
 * other lines, and for lines that are not JSON.
 */
export function configNews(line: string): string | undefined {
  if (!line.includes('"event":"config"') && !line.includes('the new config was refused')) return undefined
  try {
    const { level, msg } = JSON.parse(line) as { readonly level: string; readonly msg: string }
    return level === 'debug' ? undefined : msg
  } catch {
    return undefined
  }
}

/** Collects the output of a process; `onLine` is called with each line. */
function followLog({ stdout, stderr }: ChildProcess, onLine: (line: string) => void = () => {}): Log {
  const lines: string[] = []
  let listening: ReturnType<Log['listening']>
  for (const input of [stdout, stderr]) {
    if (input === null) continue
    createInterface({ input }).on('line', (line) => {
      lines.push(line)
      onLine(line)
      if (lines.length > LINES_KEPT) lines.shift()
      if (line.includes('"event":"listening"')) listening = JSON.parse(line)
    })
  }
  return { lines, listening: () => listening }
}
