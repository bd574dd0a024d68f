import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startCxone } from '../../src/sandbox/cxone.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { SHIPPED_CONFIG } from '../../src/sandbox/sandbox.js'
import { temporaryDirectory } from '../helpers/context.js'
import { environment, eventText } from '../helpers/processes/deployment.js'
import { holdSocket } from '../helpers/processes/socket-holder.js'

const TOPICS = ['high', 'eu', 'default', 'dlq'].map((route) => `cxone.data.actions.${route}`)
const SENDERS = 8
const EVENTS = 150

/** Each event comes by a connection of its own. The status, or the code of the error. */
const post = (port: number, id: string): Promise<number | string> =>
  new Promise((resolve) => {
    const body = eventText(id, '{}')
    const headers = {
      authorization: `Bearer ${environment('', { url: '' })['WEBHOOK_TOKEN']}`,
      'content-type': 'application/json',
      connection: 'close',
    }
    const options = { host: '127.0.0.1', port, method: 'POST', path: '/webhook/cxone/data-actions', headers }
    request(options, (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)))
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .end(body)
  })

test('a restart under load with the socket kept open refuses no connection, and loses and doubles no event', async () => {
  const kafka = await startKafka(TOPICS)
  onTestFinished(kafka.stop)
  const cxone = await startCxone({ clientId: 'test-client', clientSecret: 'test-secret' })
  onTestFinished(() => cxone.close())
  const holder = await holdSocket([process.execPath, 'dist/cli.js', 'run', '--config', SHIPPED_CONFIG], {
    PATH: process.env['PATH'],
    ...environment(kafka.bootstrap, cxone),
    HEADGATE_ADMIN_PORT: '0',
    HEADGATE_STATE_DIR: temporaryDirectory({}),
    HEADGATE_LOG_FORMAT: 'json',
  })
  const first = await holder.start()

  const answered: string[] = []
  const others = new Map<number | string, number>()
  let sending = true
  const sender = async (name: number) => {
    for (let n = 0; sending; n++) {
      const id = `${name}-${n}`
      for (let status = await post(holder.port, id); status !== 200; status = await post(holder.port, id)) {
        others.set(status, (others.get(status) ?? 0) + 1)
        await delay(20)
      }
      answered.push(id)
    }
  }
  const senders = Promise.all(Array.from({ length: SENDERS }, (_, name) => sender(name)))
  await vi.waitUntil(() => answered.length > EVENTS, { timeout: 30_000 })

  process.kill(first, 'SIGTERM')
  await holder.ended()
  const before = answered.length
  const second = await holder.start()
  await vi.waitUntil(() => answered.length > before + EVENTS, { timeout: 30_000 })
  sending = false
  await senders
  process.kill(second, 'SIGTERM')
  await holder.ended()

  // 503 while it drains, and while it finds out what Kafka has; nothing else, and no connection without a response.
  expect([...others.keys()].filter((status) => status !== 503)).toEqual([])
  const ids = (await readTopics(kafka.bootstrap, TOPICS)).map(({ headers }) => headers['headgate-event-id'])
  expect(ids.toSorted()).toEqual(answered.toSorted())
  expect(holder.lines.filter((line) => line.includes('"event":"listening"'))).toHaveLength(2)
})

test('workers do not go together with a passed socket, and the start says so', async () => {
  const holder = await holdSocket([process.execPath, 'dist/cli.js', 'run', '--config', SHIPPED_CONFIG], {
    PATH: process.env['PATH'],
    ...environment('127.0.0.1:1', { url: 'http://127.0.0.1:1' }),
    HEADGATE_ADMIN_PORT: '0',
    HEADGATE_STATE_DIR: temporaryDirectory({}),
    HEADGATE_LOG_FORMAT: 'json',
    HEADGATE_WORKERS: '2',
  })
  await holder.start()
  await holder.ended()
  expect(JSON.parse(holder.lines.at(-1) ?? '')).toMatchObject({
    event: 'failed',
    code: 'HG_LISTEN_FAILED',
    msg: expect.stringContaining('HEADGATE_WORKERS'),
  })
})
