import { expect, test } from 'vitest'
import type { RefusedList } from '../../src/admin/api.js'
import { refusedRoutes } from '../../src/admin/refused.js'
import type { CheckedConfig } from '../../src/config/read.js'
import { HeadgateError } from '../../src/contract/errors.js'
import { RefusedRequests, refusedBytes } from '../../src/http/refused.js'
import { idleAdmin } from './idle-admin.js'

const error = new HeadgateError('HG_INTAKE_UNAUTHENTICATED', 'The token is wrong.')
const bytes = refusedBytes(401, error, '127.0.0.1')

async function served() {
  const refused = new RefusedRequests()
  let collected = 0
  const config = {
    pipelines: [{ name: 'orders', settings: { tap: { mask: ['/card'] } } }],
  } as unknown as CheckedConfig
  const { url } = await idleAdmin(
    refusedRoutes({
      refused,
      collect: async () => void collected++,
      config: () => config,
      secrets: () => new Map(),
      redact: (text) => text,
    }),
  )
  const get = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, init)
  return { refused, get, collected: () => collected }
}

test('the kept ones are a list, newest first, of a pipeline or with a code', async () => {
  const { refused, get } = await served()
  const body = Buffer.from('{"card": 4111, "id": 1}')
  refused.add({ ...bytes, pipeline: 'orders', body, bytes: body.length })
  refused.add({ ...bytes, code: 'HG_INTAKE_MALFORMED' })
  const numbers = async (query: string) => {
    const list = (await (await get(`/refused${query}`)).json()) as RefusedList
    return list.refused.map(({ number }) => number)
  }
  expect(await numbers('')).toEqual([2, 1])
  expect(await numbers('?pipeline=orders')).toEqual([1])
  expect(await numbers('?pipeline=none&code=HG_INTAKE_MALFORMED')).toEqual([2])
  const shown = await (await get('/refused?payload=1KiB&pipeline=orders')).json()
  expect(shown).toMatchObject({ refused: [{ payload: '{"card":"***","id":1}' }] })
})

test('one of them comes with its body and with what to do', async () => {
  const { refused, get } = await served()
  const body = Buffer.from('{"card":4111,"id":1}')
  refused.add({ ...bytes, pipeline: 'orders', body, bytes: body.length })
  expect(await (await get('/refused/1')).json()).toMatchObject({
    payload: '{"card":"***","id":1}',
    action: expect.stringContaining('`verify` of this source'),
  })
  const gone = await get('/refused/7')
  expect([gone.status, await gone.json()]).toMatchObject([404, { message: expect.stringContaining('7') }])
})

test('a name that the config does not have is a problem', async () => {
  const { get } = await served()
  const response = await get('/refused?pipeline=order')
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { detail: expect.stringContaining('Did you mean "orders"?') },
  ])
})

test('a stream has the kept ones first, then those that come, and asks the workers only while it is open', async () => {
  const { refused, get, collected } = await served()
  refused.add(bytes)
  const stopping = new AbortController()
  const { body } = await get('/refused', {
    headers: { accept: 'text/event-stream' },
    signal: stopping.signal,
  })
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  const next = async () => {
    const { value = '' } = (await reader?.read()) ?? {}
    return (JSON.parse(value.replace('data: ', '')) as RefusedList).refused.map(({ number }) => number)
  }
  expect(await next()).toEqual([1])
  refused.add(bytes)
  expect(await next()).toEqual([2])
  stopping.abort()
  await reader?.cancel().catch(() => {})
  let before = -1
  await expect
    .poll(
      () => {
        const same = collected() === before
        before = collected()
        return same
      },
      { interval: 1500, timeout: 10_000 },
    )
    .toBe(true)
})
