import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { packageFile } from '../../src/process/package.js'
import { type HeadgateProcess, startHeadgate } from '../../src/sandbox/headgate-process.js'
import type { RequestKind } from '../load/load-order.js'
import { LEDGER_REPLACED, WITHOUT_LEDGER } from '../stand-ins/without-ledger.js'
import { nextMessage, startChild, stopChild } from './child.js'

/** A program under test, ready to accept events. */
export interface Running {
  /** Of each instance; workers are children of these processes. */
  readonly pids: readonly number[]
  readonly ports: readonly number[]
  /** The URLs of their metrics; empty if the program has none. */
  readonly admins: readonly string[]
  /** Records a second that it read back from Kafka at its start; undefined if there were too few. */
  readonly readBack: number | undefined
  stop(): Promise<void>
}

export interface Program {
  readonly name: string
  /** The requests that it takes. */
  readonly requests?: RequestKind | undefined
  start(env: { readonly [name: string]: string }): Promise<Running>
}

interface HeadgateVariant extends Pick<Program, 'name' | 'requests'> {
  readonly config: string
  /** The built command, if not that of the working tree. */
  readonly program?: string
  readonly profile?: string | undefined
  /** With a stand-in for its ledger that stores nothing: as separate modules, because one of them is replaced. */
  readonly withoutLedger?: boolean
  /** 0 if absent. */
  readonly workers?: number
  /** Processes that share an inbox; 1 if absent. */
  readonly instances?: number
}

/** `profile`: a folder for CPU profiles, here and below. */
export const floor = (profile?: string): Program => ({
  name: 'floor',
  async start(env) {
    const child = startChild(new URL('floor.js', import.meta.url), env, profiling('floor', profile))
    const { port } = await nextMessage<{ port: number }>(child)
    return {
      pids: [child.pid as number],
      ports: [port],
      admins: [],
      readBack: undefined,
      stop: () => stopChild(child),
    }
  },
})

/** Milliseconds. With 50 pipelines, each with its own connections to Kafka, a start takes a while. */
const READY_WITHIN = 60_000
const LINES_SHOWN = 20

export const headgate = ({
  name,
  requests,
  config,
  profile,
  withoutLedger,
  program = withoutLedger ? packageFile('build/src/cli.js') : undefined,
  workers,
  instances = 1,
}: HeadgateVariant): Program => ({
  name,
  requests,
  async start(env) {
    const start = () =>
      startHeadgate({
        config,
        env: { ...env, ...(workers !== undefined && { HEADGATE_WORKERS: String(workers) }) },
        within: READY_WITHIN,
        nodeOptions: [...profiling(name, profile), ...(withoutLedger ? ['--import', WITHOUT_LEDGER] : [])],
        ...(program !== undefined && { program }),
      })
    const all = await Promise.all(Array.from({ length: instances }, start))
    const [{ lines }] = all as [HeadgateProcess]
    if (withoutLedger && !lines.includes(LEDGER_REPLACED)) {
      await Promise.all(all.map(({ stop }) => stop()))
      throw new Error(
        'Headgate did not load the module that bench/stand-ins/without-ledger.ts stands in for.',
      )
    }
    return {
      pids: all.map(({ pid }) => pid),
      ports: all.map(({ intake }) => Number(new URL(intake).port)),
      admins: all.map(({ admin }) => admin),
      readBack: readBackRate(lines),
      stop: async () => void (await Promise.all(all.map(stopInOrder))),
    }
  },
})

async function stopInOrder({ stop, lines }: HeadgateProcess): Promise<void> {
  const { code, signal } = await stop()
  const how = `Headgate ended with ${signal ?? `exit code ${code}`}, and said at last:`
  if (code !== 0) throw new Error([how, ...lines.slice(-LINES_SHOWN)].join('\n'))
}

const profiling = (name: string, folder: string | undefined): string[] =>
  folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(folder, name)}`]

/** With fewer records, the start of a consumer would dominate. */
const FEWEST = 10_000

/** Records a second of the recovery that a Headgate process has logged. */
export function readBackRate(lines: readonly string[]): number | undefined {
  const begun = entry(lines, 'catching up with Kafka')
  const ended = entry(lines, 'caught up with Kafka')
  if (begun === undefined || ended === undefined || ended.records < FEWEST) return undefined
  return ended.records / ((ended.time - begun.time) / 1000)
}

function entry(lines: readonly string[], message: string): { time: number; records: number } | undefined {
  const line = lines.find((line) => line.includes(`"msg":"${message}"`))
  if (line === undefined) return undefined
  const { time, records } = JSON.parse(line)
  return { time: new Date(time).getTime(), records }
}

/** Another revision of Headgate, built in a folder of its own. */
export interface Revision {
  readonly variant: Pick<HeadgateVariant, 'name' | 'program' | 'config'>
  remove(): void
}

/**
 * Builds `ref` in a worktree that shares our `node_modules`, so that only our code differs. `config` comes from that
 * revision, because settings change too, or from the working tree if that revision has none.
 */
export function buildRevision(ref: string, config: string): Revision {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-against-'))
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' })
  const remove = (): void => {
    try {
      git('worktree', 'remove', '--force', folder)
    } catch {
      // It does not exist yet.
      rmSync(folder, { recursive: true, force: true })
    }
  }
  try {
    const commit = git('rev-parse', '--verify', '--short', `${ref}^{commit}`).trim()
    git('worktree', 'add', '--detach', folder, commit)
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: folder, stdio: 'inherit' })
    const own = join(folder, config)
    return {
      variant: {
        name: `headgate at ${commit}`,
        program: join(folder, 'dist/cli.js'),
        config: existsSync(own) ? own : config,
      },
      remove,
    }
  } catch (error) {
    remove()
    throw new Error(
      `Cannot build "${ref}" for the comparison: ${error instanceof Error ? error.message : error}`,
    )
  }
}
