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
   * Added to our environment, from which every `HEADGATE_*` is taken out. By default both ports are free ones, and the
   * state directory is a new one that goes with the process; one that is named here stays.
   */
  readonly env: Readonly<{ [name: string]: string }>
  /** Options of node itself, for instance `--cpu-prof`. */
  readonly nodeOptions?: readonly string[]
  /** Another program than the built command, for instance that of a packed tree. */
  readonly program?: string
  /** Whether to wait until it takes events, which is the default, or only until it listens. */
  readonly until?: 'listening' | 'ready'
  /** How long that may take, in milliseconds. */
  readonly within?: number
  /** Called with each line that it logs. */
  readonly onLine?: (line: string) => void
  /** Ends it by SIGKILL when it is aborted, also while it starts. */
  readonly signal?: AbortSignal
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** `headgate run` in a process of its own. */
export interface HeadgateProcess {
  readonly pid: number
  /** Base URLs of the two listeners. */
  readonly intake: string
  readonly admin: string
  /** What it has logged; the oldest lines go. */
  readonly lines: readonly string[]
  readonly exited: Promise<Exit>
  kill(signal: NodeJS.Signals): void
  /** SIGTERM, and SIGKILL where that has no effect in time. */
  stop(): Promise<Exit>
}

const READY_WITHIN = 15_000
/** More than Headgate's own shutdown timeout. */
const STOP_WITHIN = 30_000
const POLL_EVERY = 10
const LINES_SHOWN = 20

/** Starts Headgate; rejects with its last log lines where it does not come up. It ends with the process that called. */
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
  const endWithUs = pathToFileURL(builtFile('sandbox/end-with-parent.js')).href
  const child = spawn(
    process.execPath,
    ['--import', endWithUs, ...nodeOptions, program, 'run', '--config', config],
    {
      // A process group of its own: Ctrl-C in a terminal is for us, and we stop it in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: environment(options.env, ownStateDir),
    },
  )
  const kill = () => void child.kill('SIGKILL')
  signal?.addEventListener('abort', kill)
  if (signal?.aborted) kill()
  const log = followLog(child, options.onLine)
  const exited = once(child, 'close').then(async ([code, how]): Promise<Exit> => {
    signal?.removeEventListener('abort', kill)
    if (ownStateDir) await rm(ownStateDir, { recursive: true, force: true })
    return { code, signal: how }
  })
  const stop = stopper(child, exited)
  try {
    const { intake, admin } = await comesUp(child, log, until, within)
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
    throw new Error(['Headgate did not start.', reason, ...log.lines.slice(-LINES_SHOWN)].join('\n'))
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

async function comesUp(child: ChildProcess, log: Log, until: 'listening' | 'ready', within: number) {
  let missing = 'it has not said where it listens'
  for (const deadline = performance.now() + within; performance.now() < deadline; await wait(POLL_EVERY)) {
    if (hasEnded(child))
      throw new Error(`It ended with ${child.signalCode ?? `exit code ${child.exitCode}`}.`)
    const listening = log.listening()
    if (listening === undefined) continue
    if (until === 'listening') return listening
    const ready = await fetch(new URL('/ready', listening.admin), { signal: AbortSignal.timeout(within) })
    missing = await ready.text()
    if (ready.ok) return listening
  }
  throw new Error(`Not ready within ${within / 1000} s: ${missing}`)
}

function stopper(child: ChildProcess, exited: Promise<Exit>): () => Promise<Exit> {
  let stopping: Promise<Exit> | undefined
  const stop = async () => {
    child.kill('SIGTERM')
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN)
    return exited.finally(() => clearTimeout(patience))
  }
  // Only once: to Headgate, a second SIGTERM means that nobody wants to wait.
  return () => (stopping ??= stop())
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

const LINES_KEPT = 5000

/** The log of a Headgate process in JSON lines. */
interface Log {
  /** In order; the oldest go. */
  readonly lines: readonly string[]
  /** Base URLs of the listeners, once it has said them. */
  listening(): { readonly intake: string; readonly admin: string } | undefined
}

/**
 * What a line says of a config that was edited while Headgate runs: that it was taken, or why not. Undefined for other lines,
 * and for those that are no JSON.
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

/** Collects what a process writes; `onLine` is called with each line. */
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
