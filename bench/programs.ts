import { resolve } from 'node:path'
import { packageFile } from '../src/process/package.js'
import { startHeadgate } from '../src/sandbox/headgate-process.js'
import { nextMessage, startChild, stopChild } from './child.js'
import { readBackRate } from './read-back-rate.js'
import { LEDGER_REPLACED, WITHOUT_LEDGER } from './without-ledger.js'

/** A program under test, ready to take events. */
export interface Running {
  readonly pid: number
  readonly port: number
  /** Where it says how it is; undefined where a program does not. */
  readonly admin: string | undefined
  /** Records a second that it read back from Kafka at its start; undefined where those were too few to tell. */
  readonly readBack: number | undefined
  stop(): Promise<void>
}

export interface Program {
  readonly name: string
  start(env: { readonly [name: string]: string }): Promise<Running>
}

export interface HeadgateVariant {
  readonly name: string
  readonly config: string
  /** The built command, if not that of the working tree. */
  readonly program?: string
  readonly profile?: string | undefined
  /** With a stand-in for its ledger that keeps nothing: as modules of its own, for one of them is replaced. */
  readonly withoutLedger?: boolean
  /** 0 where absent. */
  readonly workers?: number
}

/** `profile` is a folder for CPU profiles, here and below. */
export const floor = (profile?: string): Program => ({
  name: 'floor',
  async start(env) {
    const child = startChild('floor.js', env, profiling('floor', profile))
    const { port } = await nextMessage<{ port: number }>(child)
    return {
      pid: child.pid as number,
      port,
      admin: undefined,
      readBack: undefined,
      stop: () => stopChild(child),
    }
  },
})

/** Milliseconds. With 50 pipelines, each of which has connections of its own to Kafka, it takes a while. */
const READY_WITHIN = 60_000
const LINES_SHOWN = 20

export const headgate = ({
  name,
  config,
  profile,
  withoutLedger,
  program = withoutLedger ? packageFile('build/src/cli.js') : undefined,
  workers,
}: HeadgateVariant): Program => ({
  name,
  async start(env) {
    const { pid, intake, admin, lines, stop } = await startHeadgate({
      config,
      env: { ...env, ...(workers !== undefined && { HEADGATE_WORKERS: String(workers) }) },
      within: READY_WITHIN,
      nodeOptions: [...profiling(name, profile), ...(withoutLedger ? ['--import', WITHOUT_LEDGER] : [])],
      ...(program !== undefined && { program }),
    })
    if (withoutLedger && !lines.includes(LEDGER_REPLACED)) {
      await stop()
      throw new Error('Headgate did not load the module that bench/without-ledger.ts stands in for.')
    }
    return {
      pid,
      port: Number(new URL(intake).port),
      admin,
      readBack: readBackRate(lines),
      async stop() {
        const { code, signal } = await stop()
        const how = `Headgate ended with ${signal ?? `exit code ${code}`}, and said at last:`
        if (code !== 0) throw new Error([how, ...lines.slice(-LINES_SHOWN)].join('\n'))
      },
    }
  },
})

const profiling = (name: string, folder: string | undefined): string[] =>
  folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(folder, name)}`]
