import { existsSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { RefusedList } from '../../src/admin/api.js'
import { scrape } from '../../src/sandbox/reconcile.js'
import { WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { eventText } from '../helpers/processes/deployment.js'
import { startSenders } from '../helpers/processes/resending-senders.js'
import {
  CONNECTIONS,
  expectOnce,
  LATER,
  startWithWorkers,
  WORKERS,
} from '../helpers/processes/with-workers.js'
import { workerPids } from '../helpers/processes/worker-pids.js'

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}/fd`)

test('copies of an event that come to several workers at once are one record, and both workers take events', async () => {
  const started = await startWithWorkers()
  const { headgate, post } = started
  const names = Array.from({ length: 40 }, (_, n) => `event-${n}`)
  for (const id of names) {
    const responses = await Promise.all(Array.from({ length: 8 }, () => post(eventText(id, '{}'))))
    expect(responses.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(responses.filter(({ body }) => body['outcome'] === 'delivered')).toHaveLength(1)
    expect(new Set(responses.map(({ body }) => `${body['partition']} ${body['offset']}`)).size).toBe(1)
  }
  // A refusal is in the log, with the worker that refused.
  await Promise.all(Array.from({ length: CONNECTIONS }, () => post('no JSON')))
  await expect
    .poll(() => [1, 2].map((worker) => headgate.lines.some((line) => line.includes(`"worker":${worker}`))))
    .toEqual([true, true])
  const { refused } = (await (await fetch(new URL('/refused', headgate.admin))).json()) as RefusedList
  expect(refused.map(({ code }) => code)).toEqual(Array(CONNECTIONS).fill('HG_INTAKE_NOT_JSON'))
  await expectOnce(started, names)
  const counts = await scrape(headgate.admin)
  const events = (outcome: string) => counts.sum('headgate_events_total', { outcome })
  expect([events('duplicate'), events('rejected')]).toEqual([40 * 7, CONNECTIONS])
  expect(counts.sum('headgate_http_responses_total')).toBe(40 * 8 + CONNECTIONS)
  expect(counts.sum('headgate_route_matches_total')).toBe(40 * 8)
  expect(await headgate.stop()).toEqual({ code: 0, signal: null })
})

test('a handshake is answered by a worker, and counted and logged by the primary process', async () => {
  const handshake = '"handshake": { "form": "query", "parameter": "challenge", "verified": false }, "eventId"'
  const { headgate } = await startWithWorkers({ edit: (config) => config.replace('"eventId"', handshake) })
  const response = await fetch(new URL(`${WEBHOOK_PATH}?challenge=abc`, headgate.intake))
  expect({ status: response.status, text: await response.text() }).toEqual({ status: 200, text: 'abc' })
  expect((await scrape(headgate.admin)).sum('headgate_events_total', { outcome: 'handshake' })).toBe(1)
  expect(headgate.lines.join('\n')).toContain('answered the handshake of a sender')
})

test('a worker that is killed under load loses nothing, writes nothing twice, and is replaced', async () => {
  const started = await startWithWorkers()
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
  const { headgate, configFile, post } = await startWithWorkers()
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
  const { headgate } = await startWithWorkers()
  const pids = workerPids(headgate.pid)
  expect(pids).toHaveLength(WORKERS)
  headgate.kill('SIGKILL')
  await headgate.exited
  await expect.poll(() => pids.filter(isAlive), LATER).toEqual([])
})

test('signals of a terminal do not end workers, and a stop under load answers what is in flight and exits with 0', async () => {
  const { headgate, cxone, post, ids } = await startWithWorkers()
  for (const pid of workerPids(headgate.pid))
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
  const answered: string[] = []
  const sender = async (name: number) => {
    for (let n = 0; ; n++) {
      const id = `${name}-${n}`
      const response = await post(eventText(id, '{}')).catch(() => undefined)
      if (response === undefined) return
      if (response.status === 200) answered.push(id)
      else if (response.status !== 503) throw new Error(`${id} was answered ${response.status}`)
    }
  }
  const senders = Promise.all(Array.from({ length: CONNECTIONS }, (_, name) => sender(name)))
  await expect.poll(() => answered.length, LATER).toBeGreaterThan(300)
  expect(await headgate.stop()).toEqual({ code: 0, signal: null })
  await senders
  const written = await ids()
  expect(new Set(written).size).toBe(written.length)
  expect(answered.filter((id) => !written.includes(id))).toEqual([])
  expect(written.filter((id) => !cxone.acknowledged.has(id))).toEqual([])
  expect(headgate.lines.join('\n')).not.toContain('worker-ended')
})

test('pipelines are paused in all workers, and a tap shows what passes any of them', async () => {
  const { headgate, post } = await startWithWorkers()
  const ask = (path: string, method: string) => fetch(new URL(path, headgate.admin), { method })
  const statuses = async () => {
    const responses = await Promise.all(
      Array.from({ length: CONNECTIONS }, (_, n) => post(eventText(`p${n}`, '{}'))),
    )
    return [...new Set(responses.map(({ status }) => status))]
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
