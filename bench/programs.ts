import { resolve } from 'node:path'
import { startHeadgate } from '../src/sandbox/headgate-process.js'
import { nextMessage, startChild, stopChild } from './child.js'

/** A program under test, ready to take events. */
export interface Running {
  readonly pid: number
  readonly port: number
  stop(): Promise<void>
}

export interface Program {
  readonly name: string
  start(env: { readonly [name: string]: string }): Promise<Running>
}

/** `profile` is a folder for CPU profiles, here and below. */
export const floor = (profile?: string): Program => ({
  name: 'floor',
  async start(env) {
    const child = startChild('floor.js', env, profiling('floor', profile))
    const { port } = await nextMessage<{ port: number }>(child)
    return { pid: child.pid as number, port, stop: () => stopChild(child) }
  },
})

export const headgate = (config: string, profile?: string): Program => ({
  name: 'headgate',
  async start(env) {
    const nodeOptions = profiling('headgate', profile)
    const { pid, intake, stop } = await startHeadgate({ config, env, nodeOptions })
    return {
      pid,
      port: Number(new URL(intake).port),
      async stop() {
        const { code, signal } = await stop()
        if (code !== 0) throw new Error(`Headgate ended with ${signal ?? `exit code ${code}`}`)
      },
    }
  },
})

const profiling = (name: string, folder: string | undefined): string[] =>
  folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(folder, name)}`]
