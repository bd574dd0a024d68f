import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type TryHost, tryRoutes } from '../../src/admin/try.js'
import { HeadgateError } from '../../src/contract/errors.js'
import type { TriedEvent } from '../../src/dry-run/dry-run-process.js'
import { temporaryDirectory } from '../helpers/context.js'
import { idleAdmin } from './idle-admin.js'

async function served({ writable = true, failure }: { writable?: boolean; failure?: HeadgateError } = {}) {
  const folder = temporaryDirectory()
  const events: TriedEvent[] = []
  const dryRuns = {
    async explain(event: TriedEvent) {
      events.push(event)
      if (failure !== undefined) throw failure
      return { pipeline: event.pipeline }
    },
    scenario: async () => ({ text: '{"scenarios": []}', doubts: ['check it'] }),
  } as unknown as TryHost['dryRuns']
  const file = join(folder, 'plugins.config.json')
  const admin = await idleAdmin(tryRoutes({ dryRuns, file, writable, running: () => [{ name: 'orders' }] }))
  const post = async (path: string, body: unknown) => {
    const response = await fetch(admin.url + path, { method: 'POST', body: JSON.stringify(body) })
    const answer = (await response.json()) as { readonly message?: string }
    return [response.status, answer] as const
  }
  return { post, events, folder }
}

test('an event is explained with its headers, whose names are in lower case', async () => {
  const { post, events } = await served()
  const body = { body: '{}', headers: { 'X-Key': 'a' }, method: 'PUT', query: 'a=b' }
  expect(await post('/pipelines/orders/explain', body)).toEqual([200, { pipeline: 'orders' }])
  expect(events).toEqual([{ ...body, pipeline: 'orders', headers: { 'x-key': 'a' } }])
})

test.each([
  ['orders', 'text'],
  ['orders', {}],
  ['orders', { body: 1 }],
  ['orders', { body: '{}', headers: { a: 1 } }],
  ['orders', { body: '{}', method: 1 }],
])('of the pipeline %s, %j is no event', async (pipeline, body) => {
  const { post } = await served()
  const [status, { message }] = await post(`/pipelines/${pipeline}/explain`, body)
  expect([status, message]).toEqual([400, expect.stringContaining('only "body" is required')])
})

test('a body can be bytes, in base64', async () => {
  const { post, events } = await served()
  const body = { body: 'iVD/AEE=', bodyEncoding: 'base64' }
  expect((await post('/pipelines/orders/explain', body))[0]).toBe(200)
  expect((await post('/pipelines/orders/explain', { body: '{}', bodyEncoding: 'utf-8' }))[0]).toBe(200)
  expect(events).toEqual([
    { ...body, pipeline: 'orders', headers: {} },
    { body: '{}', pipeline: 'orders', headers: {} },
  ])
})

test.each([
  [{ body: 'iVD', bodyEncoding: 'base64' }, '"body" should be base64, with its padding'],
  [{ body: '{}', bodyEncoding: 'base64' }, '"body" should be base64, with its padding'],
  [{ body: '{}', bodyEncoding: 'hex' }, '"bodyEncoding" should be "utf-8" or "base64"; it is "hex".'],
])('%j are no bytes', async (body, problem) => {
  const { post } = await served()
  const [status, { message }] = await post('/pipelines/orders/explain', body)
  expect([status, message]).toEqual([400, expect.stringContaining(problem)])
})

test('bytes that are no text make no scenario', async () => {
  const { post } = await served()
  const at = '/pipelines/orders/scenario'
  const [status, { message }] = await post(at, { body: 'iVD/AEE=', bodyEncoding: 'base64' })
  expect([status, message]).toEqual([422, expect.stringContaining('not UTF-8')])
  expect((await post(at, { body: 'e30=', bodyEncoding: 'base64' }))[0]).toBe(200)
})

test('a pipeline that does not run is not found', async () => {
  const { post } = await served()
  expect(await post('/pipelines/none/explain', { body: '{}' })).toEqual([
    404,
    { error_code: 404, message: 'There is no pipeline none.' },
  ])
})

test('a dry run that takes too long is 503, and one that is not possible 422', async () => {
  const busy = await served({ failure: new HeadgateError('HG_ADMIN_QUESTION', 'it took too long') })
  expect((await busy.post('/pipelines/orders/explain', { body: '{}' }))[0]).toBe(503)
  const impossible = await served({ failure: new HeadgateError('HG_CONFIG_VALUE', 'no HTTP') })
  const [status, { message }] = await impossible.post('/pipelines/orders/explain', { body: '{}' })
  expect([status, message]).toEqual([422, 'HG_CONFIG_VALUE: no HTTP'])
})

test('a scenario is returned as text, or written once into the folder beside the config', async () => {
  const { post, folder } = await served()
  const scenario = { text: '{"scenarios": []}', doubts: ['check it'] }
  expect(await post('/pipelines/orders/scenario', { body: '{}' })).toEqual([200, { ...scenario, file: null }])
  expect(existsSync(join(folder, 'scenarios'))).toBe(false)
  const save = { body: '{}', save: 'eu-west' }
  expect(await post('/pipelines/orders/scenario', save)).toEqual([
    201,
    { ...scenario, file: 'scenarios/eu-west.json' },
  ])
  expect(readFileSync(join(folder, 'scenarios/eu-west.json'), 'utf8')).toBe(scenario.text)
  expect((await post('/pipelines/orders/scenario', save))[0]).toBe(409)
})

test.each(['../evil', '', '.hidden', 'a/b', 'a\u0000'])('%j is no name of a scenario', async (name) => {
  const { post } = await served()
  expect((await post('/pipelines/orders/scenario', { body: '{}', save: name }))[0]).toBe(400)
})

test('no file is written unless the config may be written', async () => {
  const { post, folder } = await served({ writable: false })
  const [status, { message }] = await post('/pipelines/orders/scenario', { body: '{}', save: 'eu' })
  expect([status, message]).toEqual([403, expect.stringContaining('HEADGATE_CONFIG_WRITABLE')])
  expect(existsSync(join(folder, 'scenarios'))).toBe(false)
})
