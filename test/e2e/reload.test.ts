import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Pool, request } from 'undici'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startCxone } from '../../src/sandbox/cxone.js'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { followTopics, type ReadRecord } from '../../src/sandbox/reader.js'
import { webhookPipeline } from '../helpers/pipelines/webhook-pipeline.js'

/** For a longer run by hand. */
const BY_HAND = process.env['RELOAD_TEST_SECONDS']
const SECONDS = Number(BY_HAND ?? 10)
const SENDERS = 16
const TOPICS = ['reload.0', 'reload.1', 'reload.2']
const PARTITIONS = 4
const TOKEN = 'reload-test-token'

/** The config of a round: each has another route; source, sink and post-commit stage change now and then. */
const configOf = (round: number) => ({
  pipelines: {
    orders: webhookPipeline({
      source: { maxInFlight: 400 + (round % 2) },
      otherwise: { topic: TOPICS[round % 3], partition: round % PARTITIONS },
      sink: { properties: { 'linger.ms': 1 + (Math.floor(round / 3) % 2) } },
      postCommit: [
        {
          plugin: 'cxone-ack',
          config: {
            baseUrl: '${env:CXONE_BASE_URL}',
            clientId: 'test-client',
            clientSecret: '${env:CLIENT_SECRET}',
            connections: 8 + (Math.floor(round / 4) % 2),
          },
          concurrency: 64 + (round % 2),
        },
      ],
    }),
  },
})

test.each([0, 2])(
  'under load and a reload every second no request fails, nothing is lost, and every event is under one revision, with %i workers',
  async (workers) => {
    const kafka = await startKafka(TOPICS)
    onTestFinished(kafka.stop)
    const cxone = await startCxone({ clientId: 'test-client', clientSecret: 'test-secret' })
    onTestFinished(() => cxone.close())
    const folder = mkdtempSync(join(tmpdir(), 'headgate-reload-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const config = join(folder, 'plugins.config.json')
    const write = (text: string) => {
      writeFileSync(`${config}.new`, text)
      renameSync(`${config}.new`, config)
    }
    write(JSON.stringify(configOf(0)))
    const headgate = await startHeadgate({
      config,
      env: {
        KAFKA_BROKERS: kafka.bootstrap,
        CXONE_BASE_URL: cxone.url,
        WEBHOOK_TOKEN: TOKEN,
        CLIENT_SECRET: 'test-secret',
        HEADGATE_WORKERS: String(workers),
      },
    })
    onTestFinished(() => void headgate.kill('SIGKILL'))
    const ready = async () =>
      (await (await fetch(new URL('/ready', headgate.admin))).json()) as {
        readonly ready: boolean
        readonly revision: string
        readonly refusedConfig?: readonly string[]
      }

    const records: ReadRecord[] = []
    const reader = await followTopics(kafka.bootstrap, TOPICS, (record) => records.push(record))
    onTestFinished(() => reader.close())

    const statuses = new Map<number, number>()
    const delivered: string[] = []
    let sending = true
    let slowest = 0
    const sentSince = performance.now()
    const pool = new Pool(new URL(headgate.intake).origin, { connections: SENDERS })
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    const sender = async (name: number) => {
      for (let count = 0; sending; count++) {
        const id = `${name}-${count}`
        const body = JSON.stringify({ id })
        const askedAt = performance.now()
        const response = await pool.request({ path: '/in', method: 'POST', headers, body })
        statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1)
        await response.body.dump()
        slowest = Math.max(slowest, performance.now() - askedAt)
        if (response.statusCode === 200) delivered.push(id)
      }
    }
    const senders = Promise.all(Array.from({ length: SENDERS }, (_, name) => sender(name)))

    const routes = new Map<string | undefined, string>([[(await ready()).revision, `${TOPICS[0]} 0`]])
    const routeOf = (round: number) => `${TOPICS[round % 3]} ${round % PARTITIONS}`
    let refusals = 0
    for (let round = 1; round <= SECONDS; round++) {
      const { revision: before } = await ready()
      if (round % 4 === 2) {
        // Targets that the cluster cannot have, and text that is no config: both are refused.
        const bad = JSON.stringify(configOf(round)).replace(/"partition":\d/, '"partition":77')
        write(round % 8 === 2 ? bad : bad.slice(0, -9))
        const response = await request(new URL('/config/reload', headgate.admin), { method: 'POST' })
        expect([response.statusCode, await response.body.json()]).toMatchObject([
          422,
          { revision: before, problems: [{ code: expect.stringMatching(/^HG_/) }] },
        ])
        expect(await ready()).toMatchObject({
          ready: true,
          revision: before,
          refusedConfig: [expect.any(String)],
        })
        refusals++
      }
      const next = configOf(round)
      write(JSON.stringify(next))
      if (round % 3 === 0) {
        // The file is watched: nobody has to say anything.
        await vi.waitUntil(async () => (await ready()).revision !== before, { timeout: 15_000 })
      } else if (round % 3 === 1) {
        headgate.kill('SIGHUP')
        await vi.waitUntil(async () => (await ready()).revision !== before, { timeout: 15_000 })
      } else {
        const response = await request(new URL('/config/reload', headgate.admin), { method: 'POST' })
        expect([response.statusCode, await response.body.json()]).toMatchObject([200, {}])
      }
      const now = await ready()
      expect(now).toMatchObject({ ready: true })
      routes.set(now.revision, routeOf(round))
      await wait(1000)
    }
    sending = false
    const sentFor = performance.now() - sentSince
    await senders
    await pool.close()
    await reader.caughtUp()

    expect(refusals).toBe(Math.floor((SECONDS + 2) / 4))
    expect([...statuses.keys()]).toEqual([200])
    const ids = records.map(({ headers }) => headers['headgate-event-id'])
    expect(ids.length).toBe(delivered.length)
    expect(new Set(ids)).toEqual(new Set(delivered))
    const misplaced = records.filter(
      ({ topic, partition, headers }) => routes.get(headers['headgate-revision']) !== `${topic} ${partition}`,
    )
    expect(misplaced).toEqual([])
    expect(new Set(records.map(({ headers }) => headers['headgate-revision']))).toEqual(
      new Set(routes.keys()),
    )
    await vi.waitUntil(() => cxone.acknowledged.size >= delivered.length, { timeout: 30_000 })
    if (BY_HAND !== undefined) {
      const seconds = Math.round(sentFor / 1000)
      console.log(
        `${delivered.length} events in ${seconds} s, ${SECONDS} reloads and ${refusals} refused, slowest answer ${Math.round(slowest)} ms`,
      )
    }

    const text = await (await fetch(new URL('/metrics', headgate.admin))).text()
    expect(text.match(/^headgate_config_revision_info\{/gm)).toHaveLength(1)
    expect(text).toContain('headgate_config_last_reload_successful 1')
    expect(await headgate.stop()).toMatchObject({ code: 0 })
  },
  60_000 + SECONDS * 5000,
)
