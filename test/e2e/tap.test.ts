import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Io } from '../../src/commands/command.js'
import { tapCommand } from '../../src/commands/tap.js'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import type { TapEvent } from '../../src/tap/line.js'
import { temporaryDirectory } from '../helpers/context.js'
import { webhookPipeline } from '../helpers/pipelines/webhook-pipeline.js'
import { runCommand } from '../helpers/recorded-io.js'

const TOKEN = 'the-token-of-the-sender'
const ADMIN_TOKEN = 'the-token-of-the-operator'

const config = {
  pipelines: {
    orders: webhookPipeline({
      rules: [
        { name: 'tests', when: { regex: 'drill', at: '/kind' }, to: 'drop' },
        { name: 'broken', when: { regex: 'broken', at: '/kind' }, to: 'dead-letter' },
      ],
      otherwise: { topic: 'tap.orders', partition: 0 },
      deadLetter: { topic: 'tap.dead', partition: 0 },
      tap: { mask: ['/cards/*/number'] },
    }),
  },
}

/** A tap in this process; `events` are those that it has printed so far. */
function tapping(options: object, token = ADMIN_TOKEN) {
  const ctrlC = new AbortController()
  let printed = ''
  let said = ''
  const io: Partial<Io> = {
    signal: ctrlC.signal,
    out: (text) => {
      printed += text
    },
    err: (text) => {
      said += text
    },
  }
  const adminTokenFile = join(temporaryDirectory({ tokens: `${token}\n` }), 'tokens')
  const ended = runCommand(tapCommand, { options: { json: true, adminTokenFile, ...options } }, io)
  onTestFinished(() => ctrlC.abort())
  return {
    ended: ended.then(({ code }) => code),
    ctrlC: () => ctrlC.abort(),
    said: () => said,
    opened: () => expect.poll(() => said, { timeout: 10_000 }).toContain('Showing events of orders'),
    events: () => printed.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as TapEvent])),
  }
}

test('an operator looks on at a running Headgate, over a reload and until it stops', async () => {
  const kafka = await startKafka(['tap.orders', 'tap.dead'])
  onTestFinished(kafka.stop)
  const folder = temporaryDirectory({
    'plugins.config.json': JSON.stringify(config),
    tokens: `${ADMIN_TOKEN}\n`,
  })
  const file = join(folder, 'plugins.config.json')
  const headgate = await startHeadgate({
    config: file,
    env: {
      KAFKA_BROKERS: kafka.bootstrap,
      WEBHOOK_TOKEN: TOKEN,
      HEADGATE_STATE_DIR: join(folder, 'state'),
      HEADGATE_ADMIN_TOKEN_FILE: join(folder, 'tokens'),
    },
  })
  onTestFinished(() => headgate.kill('SIGKILL'))
  const adminPort = new URL(headgate.admin).port
  const send = async (event: unknown, token = TOKEN) => {
    const response = await fetch(new URL('/in', headgate.intake), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: typeof event === 'string' ? event : JSON.stringify(event),
    })
    return response.status
  }

  const all = tapping({ adminPort, payload: true })
  const drops = tapping({ adminPort, route: ['tests'], limit: '1' })
  await all.opened()
  await drops.opened()
  const cards = [{ number: '4111-1111', year: 30 }]
  expect(await send({ id: '1', cards, note: `it is ${TOKEN}` })).toBe(200)
  expect(await send({ id: '1', cards, note: `it is ${TOKEN}` })).toBe(200)
  expect(await send({ id: '2', kind: 'drill' })).toBe(200)
  expect(await send({ id: '3', kind: 'broken' })).toBe(202)
  expect(await send('{"id": "4", "number": 4111', TOKEN)).toBe(400)
  expect(await send({ id: '5' }, 'another-token-entirely')).toBe(401)
  await expect.poll(all.events).toHaveLength(6)
  const body = '{"id":"1","cards":[{"number":"***","year":30}],"note":"it is ${env:WEBHOOK_TOKEN}"}'
  expect(all.events()).toMatchObject([
    {
      outcome: 'delivered',
      id: '1',
      route: 'otherwise',
      topic: 'tap.orders',
      partition: 0,
      offset: 0,
      payload: body,
    },
    { outcome: 'duplicate', id: '1', topic: 'tap.orders', offset: 0, payload: body },
    { outcome: 'dropped', id: '2', route: 'tests' },
    { outcome: 'dead-lettered', id: '3', route: 'broken', topic: 'tap.dead', code: 'HG_ROUTE_REFUSED' },
    { outcome: 'rejected', code: 'HG_INTAKE_NOT_JSON' },
    { outcome: 'rejected', code: 'HG_INTAKE_UNAUTHENTICATED' },
  ])
  for (const secret of [TOKEN, 'another-token', '4111'])
    expect(JSON.stringify(all.events())).not.toContain(secret)
  expect(await drops.ended).toBe(0)
  expect(drops.events()).toMatchObject([{ id: '2', route: 'tests' }])

  writeFileSync(file, readFileSync(file, 'utf8').replace('"/cards/*/number"', '"/cards"'))
  headgate.kill('SIGHUP')
  const masked = async () => {
    await send({ id: `${Math.random()}`, cards })
    return all.events().at(-1)?.payload ?? ''
  }
  await expect.poll(masked, { timeout: 10_000 }).toContain('"cards":"***"')

  const stranger = tapping({ adminPort }, 'not-the-token-of-it')
  expect(await stranger.ended).toBe(1)
  expect(stranger.said()).toContain('failed with status 401')
  const misspelt = tapping({ adminPort, pipeline: ['order'] })
  expect(await misspelt.ended).toBe(1)
  expect(misspelt.said()).toContain('Did you mean "orders"?')

  const leaving = tapping({ adminPort })
  await leaving.opened()
  leaving.ctrlC()
  expect(await leaving.ended).toBe(0)

  expect(await headgate.stop()).toMatchObject({ code: 0 })
  expect(await all.ended).toBe(0)
  expect(all.said()).toContain('Headgate is stopping.')
}, 90_000)
