import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Pool } from 'undici'
import { expect, onTestFinished } from 'vitest'
import { builtFile } from '../../../src/process/package.js'
import type { Cxone } from '../../../src/sandbox/cxone.js'
import type { HeadgateProcess } from '../../../src/sandbox/headgate-process.js'
import { readTopics } from '../../../src/sandbox/reader.js'
import { scrape } from '../../../src/sandbox/reconcile.js'
import { TOPICS, WEBHOOK_PATH } from '../../../src/sandbox/routes.js'
import { SHIPPED_CONFIG } from '../../../src/sandbox/sandbox.js'
import { temporaryDirectory } from '../context.js'
import { startSandboxed, TOKEN } from './sandboxed.js'

export const WORKERS = 2
export const CONNECTIONS = 16
export const LATER = { timeout: 30_000, interval: 50 }

interface WebhookResponse {
  readonly status: number
  readonly headers: Headers
  readonly body: { readonly [member: string]: unknown }
}

export interface WithWorkers {
  readonly headgate: HeadgateProcess
  readonly cxone: Cxone
  readonly configFile: string
  /** On one of many connections, so that every worker has some. */
  post(body: string, headers?: { readonly [name: string]: string }): Promise<WebhookResponse>
  ids(): Promise<string[]>
}

interface Start {
  /** The change of the shipped config. */
  edit?(config: string): string
  /** Beside the config. */
  readonly files?: { readonly [path: string]: string }
  readonly env?: { readonly [name: string]: string }
}

/** Headgate with workers on the shipped config. */
export async function startWithWorkers({ edit, files, env }: Start = {}): Promise<WithWorkers> {
  const shipped = readFileSync(SHIPPED_CONFIG, 'utf8').replaceAll('./schemas/', `${resolve('schemas')}/`)
  const folder = temporaryDirectory({ ...files, 'plugins.config.json': edit?.(shipped) ?? shipped })
  const configFile = join(folder, 'plugins.config.json')
  const { headgate, cxone, bootstrap } = await startSandboxed(builtFile('cli.js'), configFile, {
    HEADGATE_WORKERS: String(WORKERS),
    ...env,
  })
  const pool = new Pool(headgate.intake, { connections: CONNECTIONS })
  onTestFinished(() => pool.destroy())
  return {
    headgate,
    cxone,
    configFile,
    async post(body, headers = {}) {
      const all = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers }
      const response = await pool.request({ path: WEBHOOK_PATH, method: 'POST', headers: all, body })
      return {
        status: response.statusCode,
        headers: new Headers(response.headers as { [name: string]: string }),
        body: (await response.body.json()) as WebhookResponse['body'],
      }
    },
    ids: async () =>
      (await readTopics(bootstrap, TOPICS)).map(({ headers }) => headers['headgate-event-id'] ?? ''),
  }
}

/** Kafka has each of these once, each is acknowledged, and the counters agree. */
export async function expectOnce(
  { headgate, cxone, ids }: WithWorkers,
  answered: Iterable<string>,
): Promise<void> {
  await expect.poll(async () => (await scrape(headgate.admin)).sum('headgate_ledger_pending'), LATER).toBe(0)
  const written = await ids()
  expect(new Set(written).size).toBe(written.length)
  expect(new Set(written)).toEqual(new Set(answered))
  expect(written.filter((id) => !cxone.acknowledged.has(id))).toEqual([])
  const counted = (await scrape(headgate.admin)).sum('headgate_events_total', { outcome: 'delivered' })
  expect(counted).toBe(written.length)
}
