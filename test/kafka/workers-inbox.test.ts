import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import type { LedgerInstances, LedgerStatus } from '../../src/admin/api.js'
import type { HeadgateProcess } from '../../src/sandbox/headgate-process.js'
import { scrape } from '../../src/sandbox/reconcile.js'
import { WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import type { TapLine } from '../../src/tap/line.js'
import { expectOnceOfInstances } from '../faults/invariant.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { eventText } from '../helpers/processes/deployment.js'
import { type Instances, startInstances } from '../helpers/processes/instances.js'
import { workerPids } from '../helpers/processes/worker-pids.js'

const LATER = { timeout: 30_000, interval: 200 }

/** One Headgate with two workers, each of which is an instance of the pipeline. */
async function startedWorkers() {
  const instances = await startInstances(sharedKafka(), 1, { env: { HEADGATE_WORKERS: '2' } })
  const [headgate] = instances.running as [HeadgateProcess]
  const get = async <Body>(path: string, options: RequestInit = {}) =>
    (await (await fetch(new URL(path, headgate.admin), options)).json()) as Body
  const pidOf = (name = '') => Number(name.split('/')[1])
  await vi.waitFor(
    async () => {
      const found = await get<Extract<LedgerInstances, { kind: 'shared' }>>(
        `/pipelines/${instances.pipeline}/instances`,
      )
      const workers = new Set(workerPids(headgate.pid))
      expect(new Set(found.partitions.map(({ owner }) => pidOf(owner)))).toEqual(workers)
      expect(new Set(found.own.map(pidOf))).toEqual(workers)
    },
    // The result of a look is good for some seconds.
    { ...LATER, interval: 1000 },
  )
  const ledger = async () => (await get<{ [pipeline: string]: LedgerStatus }>('/ledger'))[instances.pipeline]
  return { ...instances, headgate, get, ledger }
}

/** On a connection of its own, so that both workers get some. */
async function postApart(
  { environment }: Instances,
  { intake }: HeadgateProcess,
  id: string,
): Promise<unknown> {
  const response = await fetch(new URL(WEBHOOK_PATH, intake), {
    method: 'POST',
    body: eventText(id, '{}'),
    headers: {
      authorization: `Bearer ${environment['WEBHOOK_TOKEN']}`,
      'content-type': 'application/json',
      connection: 'close',
    },
  })
  return ((await response.json()) as { readonly outcome?: unknown }).outcome
}

/** The lines of a tap so far. */
async function tapping({ admin }: HeadgateProcess): Promise<readonly TapLine[]> {
  const lines: TapLine[] = []
  const { body } = await fetch(new URL('/tap?rate=100&keep=true', admin))
  const text = body?.pipeThrough(new TextDecoderStream())
  let rest = ''
  const read = async () => {
    for await (const piece of text ?? []) {
      const parts = (rest + piece).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts.map((line) => JSON.parse(line) as TapLine))
    }
  }
  // Headgate ends it when it stops.
  void read().catch(() => {})
  await vi.waitFor(() => expect(lines).toHaveLength(1), LATER)
  return lines
}

describeKafka('workers of a pipeline with an inbox', () => {
  test('each is an instance, and the process shows all of them as one', async () => {
    const started = await startedWorkers()
    const { headgate, get, ledger, pipeline } = started
    const lines = await tapping(headgate)
    const ids = Array.from({ length: 40 }, (_, n) => `event-${n}`)
    const outcomes = await Promise.all(ids.map((id) => postApart(started, headgate, id)))
    expect(new Set(outcomes)).toEqual(new Set(['accepted']))
    await expectOnceOfInstances(started, new Set(ids))

    await vi.waitFor(async () => {
      const counts = await scrape(headgate.admin)
      expect(counts.sum('headgate_events_total', { outcome: 'accepted' })).toBe(40)
      expect(counts.sum('headgate_inbox_events_total', { outcome: 'delivered' })).toBe(40)
      expect(counts.sum('headgate_ack_attempts_total', { outcome: 'acknowledged' })).toBe(40)
      expect(counts.sum('headgate_inbox_partitions')).toBe(6)
      expect(counts.sum('headgate_inbox_partitions_in_use')).toBe(6)
      expect(counts.sum('headgate_pipeline_paused')).toBe(0)
      expect(counts.sum('headgate_kafka_records_outstanding')).toBe(0)
    }, LATER)
    const shown = () => lines.filter((line) => line.kind === 'event' && line.outcome === 'accepted')
    await vi.waitFor(() => expect(shown()).toHaveLength(40), LATER)
    await vi.waitFor(
      async () => expect(await get('/tap/1/1')).toMatchObject({ attempts: [{ outcome: 'acknowledged' }] }),
      LATER,
    )
    await vi.waitFor(async () => {
      const { partitions = [], inbox = [] } = (await ledger()) ?? {}
      expect([partitions.length, inbox.length]).toEqual([6, 6])
      expect(partitions.map(({ known, acknowledged }) => known - acknowledged)).toEqual(Array(6).fill(0))
    }, LATER)
    const { tasks, connector } = await get<{ connector: { state: string }; tasks: { state: string }[] }>(
      `/connectors/${pipeline}/status`,
    )
    expect(new Set([connector, ...tasks].map(({ state }) => state))).toEqual(new Set(['RUNNING']))
    expect(await headgate.stop()).toEqual({ code: 0, signal: null })
  }, 120_000)

  test('an operator retries what failed, pauses all workers, and changes their config or none', async () => {
    const started = await startedWorkers()
    const { headgate, cxone, get, ledger, pipeline, configFile, inbox } = started
    cxone.script('acknowledge', [{ status: 404 }])
    await postApart(started, headgate, 'failing')
    await vi.waitFor(async () => expect((await ledger())?.failed.count).toBe(1), LATER)
    expect(await get('/ledger/retry', { method: 'POST' })).toEqual({ [pipeline]: 1 })
    await vi.waitFor(async () => expect((await ledger())?.failed.count).toBe(0), LATER)
    expect([...cxone.acknowledged.keys()]).toEqual(['failing'])

    const url = (action: string) => new URL(`/connectors/${pipeline}/${action}`, headgate.admin)
    await fetch(url('pause'), { method: 'PUT' })
    const someMore = () => Promise.all([1, 2, 3, 4].map((n) => postApart(started, headgate, `some-${n}`)))
    await vi.waitFor(async () => expect(await someMore()).toEqual(Array(4).fill(undefined)), LATER)
    await fetch(url('resume'), { method: 'PUT' })
    await vi.waitFor(async () => expect(await someMore()).toEqual(Array(4).fill('accepted')), LATER)

    const before = readFileSync(configFile, 'utf8')
    const reload = () => get('/config/reload', { method: 'POST' })
    writeFileSync(configFile, before.replace(`"topic": "${inbox}"`, `"topic": "${inbox}.other"`))
    expect(await reload()).toMatchObject({ code: 'HG_RELOAD_RESTART' })
    writeFileSync(configFile, before.replace('"transforms": [', '"maxPending": 1000, "transforms": ['))
    await vi.waitFor(async () => expect(await reload()).toMatchObject({ result: 'unchanged' }), LATER)
    const limit = async () => (await scrape(headgate.admin)).sum('headgate_ledger_pending_limit')
    await vi.waitFor(async () => expect(await limit()).toBe(1000), LATER)
    expect(await someMore()).toEqual(Array(4).fill('accepted'))
    const ids = ['failing', 'some-1', 'some-2', 'some-3', 'some-4']
    await vi.waitFor(() => expect([...cxone.acknowledged.keys()].toSorted()).toEqual(ids), LATER)
  }, 120_000)
})
