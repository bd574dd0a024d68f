import { expect, test } from 'vitest'
import { deadLetterRoutes } from '../../src/admin/dead-letters.js'
import type { CheckedConfig } from '../../src/config/read.js'
import { HeadgateError } from '../../src/contract/errors.js'
import type { LettersRequest, RunState } from '../../src/dead-letters/messages.js'
import { testContext } from '../helpers/context.js'
import { idleAdmin } from './idle-admin.js'

const config = {
  pipelines: [
    { name: 'orders', settings: { deadLetter: { topic: 'dead' } } },
    { name: 'returns', settings: {} },
  ],
} as unknown as CheckedConfig

async function served(result: (request: LettersRequest) => object = () => ({})) {
  const asked: LettersRequest[] = []
  const { log, lines } = testContext()
  const run: RunState = { kind: 'replay', state: 'running', done: 1, total: 2 }
  const processes = {
    async ask(_pipeline: string, request: LettersRequest) {
      asked.push(request)
      return result(request)
    },
    run: () => run,
  }
  const { url } = await idleAdmin(deadLetterRoutes({ processes, log, config: () => config }))
  const at = `${url}/pipelines/orders/dead-letters`
  const get = (path = '') => fetch(`${at}${path}`)
  const post = (path: string, body: object) =>
    fetch(`${at}${path}`, { method: 'POST', body: JSON.stringify(body) })
  return { asked, lines, url, get, post }
}

test('a list is asked for with its filters and its page', async () => {
  const { get, asked } = await served()
  expect((await get('?code=HG_SCHEMA_VIOLATION&passes=true&offset=100&limit=50&refresh=true')).status).toBe(
    200,
  )
  expect((await get('/0:12')).status).toBe(200)
  expect(asked).toEqual([
    {
      ...{ kind: 'list', status: 'open', offset: 100, limit: 50, refresh: true },
      selection: { code: 'HG_SCHEMA_VIOLATION', passes: true },
    },
    { kind: 'show', position: '0:12' },
  ])
})

test('a list takes every filter of the commands, and times as they do', async () => {
  const { get, asked } = await served()
  const texts = { stage: 'transform.0.route', rule: 'eu west', id: 'e&1', text: 'No' }
  const times = { since: '2026-01-31', until: '2026-01-31T08:00:00+02:00' }
  await get(`?${new URLSearchParams({ ...texts, ...times })}`)
  await get('?since=24h')
  const [first, second] = asked.map((one) => ('selection' in one ? one.selection : {}))
  expect(first).toEqual({
    ...texts,
    since: Date.UTC(2026, 0, 31),
    until: Date.UTC(2026, 0, 31, 6),
  })
  const age = Date.now() - (second?.since ?? 0)
  expect(age).toBeGreaterThanOrEqual(24 * 3_600_000)
  expect(age).toBeLessThan(25 * 3_600_000)
})

test.each([
  ['?code=HG_SCHEMA_VIOLATON', 'There is no code "HG_SCHEMA_VIOLATON". Did you mean "HG_SCHEMA_VIOLATION"?'],
  ['?rule=', '"rule" should not be empty.'],
  ['?since=soon', '"since" should be a time such as 2026-01-31,'],
  ['?since=1h&until=2h', '"since" is later than "until", so no dead letter can match.'],
  ['?passes=yes', '"passes" should be true or false.'],
  ['?colour=red', 'There is no filter "colour". Expected code, stage, rule, id, text, since, until,'],
])('the query %s is refused', async (query, problem) => {
  const { get, asked } = await served()
  const response = await get(query)
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { message: expect.stringContaining(problem) },
  ])
  expect(asked).toEqual([])
})

test('replay and discard are dry runs unless they say otherwise; what is done is in the log', async () => {
  const { post, asked, lines, get } = await served()
  const refs = [{ topic: undefined, partition: 0, offset: 1 }]
  await post('/replay', { positions: ['0:1'], body: '{}' })
  await post('/replay', { code: 'HG_ROUTE_REFUSED', dryRun: false })
  await post('/discard', { positions: ['0:1'] })
  await post('/discard', { positions: ['0:1'], reason: ' a test ', dryRun: false })
  await post('/run/stop', {})
  expect(asked).toEqual([
    { kind: 'plan', selection: { refs }, edited: '{}' },
    { kind: 'replay', selection: { code: 'HG_ROUTE_REFUSED' } },
    { kind: 'plan-discard', selection: { refs } },
    { kind: 'discard', selection: { refs }, reason: 'a test' },
    { kind: 'stop' },
  ])
  expect(lines.map(({ fields }) => (fields as { action?: string }).action)).toEqual([
    'replay',
    'discard',
    'stop',
  ])
  expect(await (await get('/run')).json()).toMatchObject({ run: { done: 1, total: 2 } })
})

test.each<[string, string, object, string]>([
  ['an unknown filter', '/replay', { cod: 'x' }, 'no filter "cod"'],
  ['a position that is none', '/replay', { positions: ['12'] }, '"positions" should be'],
  ['a body for several', '/replay', { positions: ['0:1', '0:2'], body: '{}' }, 'exactly one position'],
  ['a body that is no text', '/replay', { positions: ['0:1'], body: 'a\ud800' }, 'surrogate pair'],
  ['a time that is none', '/replay', { since: 'soon' }, '"since" should be a time'],
  ['a discard of everything', '/discard', { reason: 'x', dryRun: false }, 'Select dead letters'],
  ['a discard without a reason', '/discard', { positions: ['0:1'], dryRun: false }, '"reason" of 1 to 500'],
])('%s is refused', async (_, path, body, problem) => {
  const { post, asked } = await served()
  const response = await post(path, body)
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { message: expect.stringContaining(problem) },
  ])
  expect(asked).toEqual([])
})

test('a problem has its status, a Kafka that is away is a 503, and a pipeline without dead letters has none', async () => {
  const { get } = await served(() => ({ status: 404, problem: 'There is none.' }))
  expect((await get('/0:1')).status).toBe(404)
  const away = await served(() => {
    throw new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is away.')
  })
  const response = await away.get()
  expect([response.status, await response.json()]).toMatchObject([
    503,
    { message: expect.stringContaining('Kafka is away.') },
  ])
  for (const name of ['returns', 'others'])
    expect((await fetch(`${away.url}/pipelines/${name}/dead-letters`)).status).toBe(404)
})

test('a body in another encoding than UTF-8 is refused: as a text, it would have other characters', async () => {
  const { url, asked } = await served()
  const response = await fetch(`${url}/pipelines/orders/dead-letters/replay`, {
    method: 'POST',
    body: Buffer.from('{"positions": ["0:1"], "body": "\u00e9"}', 'latin1'),
  })
  expect([response.status, await response.json()]).toMatchObject([400, { message: 'The body is not UTF-8.' }])
  expect(asked).toEqual([])
})
