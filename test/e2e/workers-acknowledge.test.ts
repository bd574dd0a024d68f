import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scrape } from '../../src/sandbox/reconcile.js'
import { temporaryDirectory } from '../helpers/context.js'
import { eventText } from '../helpers/processes/deployment.js'
import {
  expectOnce,
  LATER,
  startWithWorkers,
  type WithWorkers,
  WORKERS,
} from '../helpers/processes/with-workers.js'
import { workerPids } from '../helpers/processes/worker-pids.js'

const STAGE = '"stage":"post-commit.0.cxone-ack"'
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/** Posts so many events at once; returns their ids. */
async function postSome({ post }: WithWorkers, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, n) => `event-${n}`)
  const responses = await Promise.all(ids.map((id) => post(eventText(id, '{}'))))
  expect(responses.map(({ status }) => status)).toEqual(Array(count).fill(200))
  return ids
}

test('each worker acknowledges with a token of its own, says in the log what went wrong, and counts are those of one process', async () => {
  const started = await startWithWorkers()
  const { headgate, cxone } = started
  // As many as there are processes.
  await expect.poll(() => cxone.tokensIssued, LATER).toBe(WORKERS + 1)
  cxone.script('token', Array(WORKERS).fill({ status: 503 }))
  cxone.revokeTokens()
  const ids = await postSome(started, 40)
  await expectOnce(started, ids)
  const complaints = headgate.lines
    .filter((line) => line.includes('HG_ACK_TOKEN') && line.includes(STAGE))
    // That it fails again and again is what the primary process sees.
    .filter((line) => !line.includes('acknowledging fails'))
  const worker = (line: string) => (JSON.parse(line) as { readonly worker?: number }).worker
  expect(new Set(complaints.map(worker))).toEqual(new Set([1, 2]))
  const counts = await scrape(headgate.admin)
  expect(counts.sum('headgate_ack_attempts_total', { outcome: 'acknowledged' })).toBe(ids.length)
  expect(counts.sum('headgate_stage_events_total', { plugin: 'cxone-ack', outcome: 'passed' })).toBe(
    ids.length,
  )
  expect(counts.sum('headgate_ack_duration_seconds_count')).toBe(ids.length)
  const retried = counts.sum('headgate_ack_attempts_total', { outcome: 'retry' })
  expect(counts.sum('headgate_stage_duration_seconds_count', { plugin: 'cxone-ack' })).toBe(
    ids.length + retried,
  )
  // A token lives for seconds: a sum of when they expire would be far in the future.
  const expiry = counts.sum('headgate_oauth_token_expiry_timestamp_seconds')
  expect(expiry).toBeGreaterThan(Date.now() / 1000 - 60)
  expect(expiry).toBeLessThan(Date.now() / 1000 + 60)
})

test('attempts that workers are killed with are made again, also while there is no worker', async () => {
  const started = await startWithWorkers()
  const { headgate, cxone } = started
  cxone.script('acknowledge', Array(20).fill('hang'))
  const ids = await postSome(started, 20)
  await expect.poll(() => cxone.responses.get('hang'), LATER).toBe(20)
  expect(cxone.acknowledged.size).toBe(0)
  for (const pid of workerPids(headgate.pid)) process.kill(pid, 'SIGKILL')
  await expectOnce(started, ids)
  const attempts = async (outcome: string) =>
    (await scrape(headgate.admin)).sum('headgate_ack_attempts_total', { outcome })
  expect([await attempts('acknowledged'), await attempts('gave-up')]).toEqual([20, 0])
  // More, if an attempt was given to the second worker before its end was known.
  expect(await attempts('retry')).toBeGreaterThanOrEqual(20)
  expect(await headgate.stop()).toEqual({ code: 0, signal: null })
})

test('what a reload says of a post-commit stage is what workers do, and traces go on', async () => {
  const started = await startWithWorkers()
  const { headgate, cxone, configFile, post } = started
  const headers = { traceparent: TRACEPARENT, tracestate: 'a=b' }
  expect((await post(eventText('before', '{}'), headers)).status).toBe(200)
  await expect.poll(() => cxone.lastRequest?.url, LATER).toBe('/api/v2/data/actions/before/acknowledge')
  expect(cxone.lastRequest?.headers).toMatchObject({ ...headers, 'content-length': '0' })
  const changed = readFileSync(configFile, 'utf8').replace(
    '"baseUrl":',
    '"body": "{\\"again\\":true}", "baseUrl":',
  )
  writeFileSync(configFile, changed)
  await fetch(new URL('/config/reload', headgate.admin), { method: 'POST' })
  const ids = await postSome(started, 20)
  await expectOnce(started, ['before', ...ids])
  expect(cxone.lastRequest?.headers['content-length']).toBe('14')
  expect([...cxone.responses]).toEqual([['200', 21]])
})

/** Says which process it is in, and gives up with what must not be shown. */
const TELLING = `
import { writeFileSync } from 'node:fs'
export default {
  kind: 'post-commit',
  name: 'telling',
  summary: 'Tells nobody.',
  config: {
    type: 'object',
    properties: { key: { type: 'string', secret: true }, folder: { type: 'string' } },
    required: ['key', 'folder'],
    additionalProperties: false,
  },
  create: ({ key, folder }) => ({
    start: async () => writeFileSync(folder + '/started-' + process.pid, ''),
    async acknowledge({ id }) {
      writeFileSync(folder + '/told-' + process.pid, '')
      return { kind: 'give-up', error: new Error('refused with ' + key) }
    },
    stop: async () => writeFileSync(folder + '/stopped-' + process.pid, ''),
  }),
}
`

test('a plugin of somebody else runs in every process, and what is secret in its errors is shown nowhere', async () => {
  const folder = temporaryDirectory()
  const stage = `{ "plugin": "./telling.mjs", "config": { "key": "\${env:TELLING_KEY}", "folder": "${folder}" } }`
  const edit = (config: string) =>
    config.replace(/"postCommit": \[[\s\S]*?\n {6}\]/, `"postCommit": [${stage}]`)
  const env = { TELLING_KEY: 'hush-hush', HEADGATE_LOG_LEVEL: 'debug' }
  const started = await startWithWorkers({ edit, files: { 'telling.mjs': TELLING }, env })
  const { headgate } = started
  const pids = [headgate.pid, ...workerPids(headgate.pid)]
  await postSome(started, 20)
  await expect.poll(async () => (await scrape(headgate.admin)).sum('headgate_ledger_failed'), LATER).toBe(20)
  const report = await (await fetch(new URL('/ledger', headgate.admin))).text()
  expect(report).toContain('refused with')
  expect(await headgate.stop()).toEqual({ code: 0, signal: null })
  const left = (what: string) => pids.filter((pid) => existsSync(join(folder, `${what}-${pid}`)))
  expect([left('started'), left('told'), left('stopped')]).toEqual([pids, pids.slice(1), pids])
  expect(headgate.lines.join('\n')).toContain('refused with')
  expect(headgate.lines.join('\n') + report).not.toContain('hush-hush')
})
