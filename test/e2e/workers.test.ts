import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Pool } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import type { Cxone } from '../../src/sandbox/cxone.js'
import type { HeadgateProcess } from '../../src/sandbox/headgate-process.js'
import { builtFile } from '../../src/sandbox/package-files.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { TOPICS, WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { scrape } from '../../src/sandbox/scrape.js'
import { SHIPPED_CONFIG } from '../../src/sandbox/surroundings.js'
import { temporaryDirectory } from '../helpers/context.js'
import { eventText } from '../helpers/deployment.js'
import { startSenders } from '../helpers/resending-senders.js'
import { startSandboxed, TOKEN } from '../helpers/sandboxed.js'
import { workerPids } from '../helpers/worker-pids.js'

const WORKERS = 2
const CONNECTIONS = 16
const LATER = { timeout: 30_000, interval: 50 }

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: { readonly [member: string]: unknown }
}

interface Started {
  readonly headgate: HeadgateProcess
  readonly cxone: Cxone
  readonly configFile: string
  /** On one of so many connections that every worker has some. */
  post(body: string, headers?: { readonly [name: string]: string }): Promise<Answer>
  ids(): Promise<string[]>
}

/** Headgate with workers on the shipped config. */
async function start(): Promise<Started> {
  const text = readFileSync(SHIPPED_CONFIG, 'utf8').replaceAll('./schemas/', `${resolve('schemas')}/`)
  const configFile = join(temporaryDirectory({ 'plugins.config.json': text }), 'plugins.config.json')
  const { headgate, cxone, bootstrap } = await startSandboxed(builtFile('cli.js'), configFile, {
    HEADGATE_WORKERS: String(WORKERS),
  })
  const pool = new Pool(headgate.intake, { connections: CONNECTIONS })
  onTestFinished(() => pool.destroy())
  return {
    headgate,
    cxone,
    configFile,
    async post(body, headers = {}) {
      const all = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers }
      const answer = await pool.request({ path: WEBHOOK_PATH, method: 'POST', headers: all, body })
      return {
        status: answer.statusCode,
        headers: new Headers(answer.headers as { [name: string]: string }),
        body: (await answer.body.json()) as Answer['body'],
      }
    },
    ids: async () =>
      (await readTopics(bootstrap, TOPICS)).map(({ headers }) => headers['headgate-event-id'] ?? ''),
  }
}

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}/fd`)

/** Kafka has each of these once, each is acknowledged, and the counts say so. */
async function expectOnce({ headgate, cxone, ids }: Started, answered: Iterable<string>): Promise<void> {
  await expect.poll(async () => (await scrape(headgate.admin)).sum('headgate_ledger_pending'), LATER).toBe(0)
  const written = await ids()
  expect(new Set(written).size).toBe(written.length)
  expect(new Set(written)).toEqual(new Set(answered))
  expect(written.filter((id) => !cxone.acknowledged.has(id))).toEqual([])
  const counted = (await scrape(headgate.admin)).sum('headgate_events_total', { outcome: 'delivered' })
  expect(counted).toBe(written.length)
}

test('copies of an event that come to several workers at once are one record, and both workers take events', async () => {
  const started = await start()
  const { headgate, post } = started
  const names = Array.from({ length: 40 }, (_, n) => `event-${n}`)
  for (const id of names) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(eventText(id, '{}'))))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(answers.filter(({ body }) => body['outcome'] === 'delivered')).toHaveLength(1)
    expect(new Set(answers.map(({ body }) => `${body['partition']} ${body['offset']}`)).size).toBe(1)
  }
  // What is refused is in the log, with the worker that refused it.
  await Promise.all(Array.from({ length: CONNECTIONS }, () => post('no JSON')))
  await expect
    .poll(() => [1, 2].map((worker) => headgate.lines.some((line) => line.includes(`"worker":${worker}`))))
    .toEqual([true, true])
  await expectOnce(started, names)
  const counts = await scrape(headgate.admin)
  const events = (outcome: string) => counts.sum('headgate_events_total', { outcome })
  expect([events('duplicate'), events('rejected')]).toEqual([40 * 7, CONNECTIONS])
  expect(counts.sum('headgate_http_responses_total')).toBe(40 * 8 + CONNECTIONS)
  expect(counts.sum('headgate_route_matches_total')).toBe(40 * 8)
  expect(await headgate.stop()).toEqual({ code: 0, signal: null })
})

test('a worker that is killed under load loses nothing, writes nothing twice, and is replaced', async () => {
  const started = await start()
  const { headgate } = started
  const senders = startSenders(started)
  for (let kill = 0; kill < 2; kill++) {
    const before = senders.answered.size
    await expect.poll(() => senders.answered.size, LATER).toBeGreaterThan(before + 200)
    const [victim = 0] = workerPids(headgate.pid)
    process.kill(victim, 'SIGKILL')
    await expect.poll(() => workerPids(headgate.pid).includes(victim), LATER).toBe(false)
    await expect.poll(async () => (await scrape(headgate.admin)).sum('headgate_workers'), LATER).toBe(WORKERS)
  }
  await senders.finish()
  await expectOnce(started, senders.answered)
  expect((await scrape(headgate.admin)).sum('headgate_worker_restarts_total')).toBe(2)
  expect(headgate.lines.join('\n')).toContain('"event":"worker-ended"')
})

test('without a worker Headgate is not ready and says why, and a worker that comes back has the config that runs', async () => {
  const { headgate, configFile, post } = await start()
  const ready = async () => (await fetch(new URL('/ready', headgate.admin))).json()
  const { revision } = (await ready()) as { readonly revision: string }
  writeFileSync(configFile, '{ "pipelines": ')
  await expect.poll(ready, LATER).toMatchObject({ ready: true, refusedConfig: [expect.any(String)] })
  for (const pid of workerPids(headgate.pid)) process.kill(pid, 'SIGKILL')
  await expect
    .poll(ready, { ...LATER, interval: 5 })
    .toMatchObject({ ready: false, reasons: [expect.stringContaining('No worker takes events')] })
  await expect.poll(ready, LATER).toMatchObject({ ready: true, revision })
  expect((await post(eventText('a', '{}'))).status).toBe(200)
})

test('workers end by themselves when the primary process is killed', async () => {
  const { headgate } = await start()
  const pids = workerPids(headgate.pid)
  expect(pids).toHaveLength(WORKERS)
  headgate.kill('SIGKILL')
  await headgate.exited
  await expect.poll(() => pids.filter(isAlive), LATER).toEqual([])
})

test('signals of a terminal do not end workers, and a stop under load answers what is in flight and exits with 0', async () => {
  const { headgate, post, ids } = await start()
  for (const pid of workerPids(headgate.pid))
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
  const answered: string[] = []
  const sender = async (name: number) => {
    for (let n = 0; ; n++) {
      const id = `${name}-${n}`
      const answer = await post(eventText(id, '{}')).catch(() => undefined)
      if (answer === undefined) return
      if (answer.status === 200) answered.push(id)
      else if (answer.status !== 503) throw new Error(`${id} was answered ${answer.status}`)
    }
  }
  const senders = Promise.all(Array.from({ length: CONNECTIONS }, (_, name) => sender(name)))
  await expect.poll(() => answered.length, LATER).toBeGreaterThan(300)
  expect(await headgate.stop()).toEqual({ code: 0, signal: null })
  await senders
  const written = await ids()
  expect(new Set(written).size).toBe(written.length)
  expect(answered.filter((id) => !written.includes(id))).toEqual([])
  expect(headgate.lines.join('\n')).not.toContain('worker-ended')
})

test('pipelines are paused in all workers, and a tap shows what passes any of them', async () => {
  const { headgate, post } = await start()
  const ask = (path: string, method: string) => fetch(new URL(path, headgate.admin), { method })
  const statuses = async () => {
    const answers = await Promise.all(
      Array.from({ length: CONNECTIONS }, (_, n) => post(eventText(`p${n}`, '{}'))),
    )
    return [...new Set(answers.map(({ status }) => status))]
  }
  await ask('/connectors/cxone-data-actions/pause', 'PUT')
  await expect.poll(statuses, LATER).toEqual([503])
  expect((await post('{', { authorization: 'Bearer wrong' })).status).toBe(401)
  await ask('/connectors/cxone-data-actions/resume', 'PUT')
  await expect.poll(statuses, LATER).toEqual([200])

  const tapped = await fetch(new URL('/tap?limit=2&payload=1KiB', headgate.admin))
  const lines = tapped.text()
  await post(eventText('seen', '{"priority":"high"}'))
  await post('no JSON')
  const shown = (await lines).split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as object]))
  expect(shown).toContainEqual(
    expect.objectContaining({
      id: 'seen',
      outcome: 'delivered',
      route: 'high-priority',
      payload: eventText('seen', '{"priority":"high"}'),
    }),
  )
  expect(shown).toContainEqual(expect.objectContaining({ outcome: 'rejected', code: 'HG_INTAKE_NOT_JSON' }))
})
