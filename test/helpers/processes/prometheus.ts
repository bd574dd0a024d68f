import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { vi } from 'vitest'
import { temporaryDirectory } from '../context.js'
import { freePorts } from '../free-ports.js'
import type { AtEnd } from '../lasting.js'
import { endWithUs } from './end-with-us.js'

/** A Prometheus that scrapes and evaluates every second. */
export interface Prometheus {
  /** The series of an instant vector, at this moment. */
  query(expr: string): Promise<readonly Series[]>
}

export interface Series {
  readonly metric: Readonly<{ [label: string]: string }>
  readonly value: number
}

export interface PrometheusOptions {
  /** `host:port` of its target, scraped as job "headgate" in namespace "test". */
  readonly target: string
  /** Text of the rules. */
  readonly rules: string
  readonly atEnd: AtEnd
}

/**
 * The reason why there is no Prometheus; undefined if there is one. Throws if HEADGATE_TEST_PROMETHEUS=required and
 * there is none.
 */
export function prometheusMissing(): string | undefined {
  const lacking = ['prometheus', 'promtool'].filter(
    (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0,
  )
  if (lacking.length === 0) return undefined
  const reason = `there is no ${lacking.join(' and no ')} on the PATH`
  if (process.env['HEADGATE_TEST_PROMETHEUS'] === 'required')
    throw new Error(`Prometheus: required, but ${reason}`)
  console.log(`Prometheus: skipped, because ${reason}`)
  return reason
}

/** Runs promtool; its messages are the error. */
export function promtool(...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}\n${stdout}${stderr}`)
}

export async function startPrometheus({ target, rules, atEnd }: PrometheusOptions): Promise<Prometheus> {
  const folder = temporaryDirectory({ 'prometheus.yml': config(target), 'headgate.rules.yaml': rules }, atEnd)
  const [port] = await freePorts(1)
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const log: string[] = []
  child.stderr.on('data', (text) => log.push(String(text)))
  const exited = once(child, 'exit')
  const calledOff = endWithUs(child.pid as number, folder)
  atEnd(async () => {
    child.kill('SIGKILL')
    await exited
    calledOff()
  })
  const url = `http://127.0.0.1:${port}`
  await vi.waitFor(
    async () => {
      const response = await fetch(`${url}/-/ready`)
      if (!response.ok) throw new Error(`Prometheus is not ready:\n${log.join('')}`)
    },
    { timeout: 15_000, interval: 100 },
  )
  return {
    async query(expr) {
      const response = await fetch(`${url}/api/v1/query`, {
        method: 'POST',
        body: new URLSearchParams({ query: expr }),
      })
      const result = (await response.json()) as QueryResult
      if (result.status !== 'success') throw new Error(`${expr}: ${result.error}`)
      return result.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
    },
  }
}

/** The response of /api/v1/query. */
type QueryResult =
  | { readonly status: 'error'; readonly error: string }
  | {
      readonly status: 'success'
      readonly data: {
        readonly result: readonly {
          readonly metric: Series['metric']
          readonly value: readonly [number, string]
        }[]
      }
    }

const config = (target: string): string => `
global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: [headgate.rules.yaml]
scrape_configs:
  - job_name: headgate
    static_configs: [{ targets: ['${target}'], labels: { namespace: test } }]
`
