import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { problem } from '../../src/http/problem.js'
import { RefusedRequests, refusedBytes } from '../../src/http/refused.js'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
import { echo, listen, ok } from './setup.js'

const wrongToken = new HeadgateError('HG_INTAKE_UNAUTHENTICATED', 'The token is not the one of the sender.')

test('a refused request is kept with its reason, its sender and its body, and without its query and credentials', async () => {
  const { handler } = echo({ handle: async () => problem(wrongToken) })
  const { listener, port } = await listen(handler)
  const connection = await rawConnection(port)
  const headers = {
    authorization: 'Bearer guess-of-a-token',
    cookie: 'session=1',
    'user-agent': 'sender/1.0',
    'x-request-id': 'request-7',
    'content-length': 2,
    connection: 'close',
  }
  connection.send(rawRequest('POST', '/in?token=guess-of-a-token', headers, '{}'))
  await connection.closed()
  const [kept] = listener.refused.after(0)
  expect(kept).toMatchObject({
    number: 1,
    refused: {
      pipeline: 'orders',
      method: 'POST',
      path: '/in',
      status: 401,
      code: 'HG_INTAKE_UNAUTHENTICATED',
      message: 'The token is not the one of the sender.',
      requestId: 'request-7',
      remoteAddress: '127.0.0.1',
      headers: { 'user-agent': 'sender/1.0' },
      bytes: 2,
      body: Buffer.from('{}'),
    },
  })
  expect(JSON.stringify(kept)).not.toMatch(/guess|session/)
})

test('requests that no source sees are kept too: an unknown path, and bytes that are no request', async () => {
  const { listener, port, post } = await listen(echo().handler)
  await post('/elsewhere', '{}')
  const connection = await rawConnection(port)
  connection.send('HELO somebody\r\n\r\n')
  await connection.closed()
  await expect.poll(() => listener.refused.after(0)).toHaveLength(2)
  const kept = listener.refused.after(0).map(({ refused }) => refused)
  expect(kept.map(({ code, path, bytes }) => ({ code, path, bytes }))).toEqual([
    { code: 'HG_INTAKE_MALFORMED', path: undefined, bytes: undefined },
    { code: 'HG_INTAKE_NOT_FOUND', path: '/elsewhere', bytes: undefined },
  ])
  expect(kept.map(({ pipeline }) => pipeline)).toEqual(['none', 'none'])
})

test('an error that the sender gets with a status of success is a refusal; an accepted request is none', async () => {
  const responses = [{ ...problem(wrongToken), status: 200 }, ok('taken')]
  const { handler } = echo({ handle: async () => responses.shift() ?? ok('') })
  const { listener, post } = await listen(handler)
  await post('/in', '{}')
  await post('/in', '{}')
  expect(listener.refused.after(0).map(({ refused: { status, code } }) => [status, code])).toEqual([
    [200, 'HG_INTAKE_UNAUTHENTICATED'],
  ])
})

test('a body that is too long to be masked is not kept, only its size', async () => {
  const { handler } = echo({ handle: async () => problem(wrongToken), maxBodyBytes: 1024 * 1024 })
  const { listener, post } = await listen(handler)
  await post('/in', 'x'.repeat(100_000))
  expect(listener.refused.after(0)).toMatchObject([{ refused: { bytes: 100_000, body: undefined } }])
})

test('a flood on one path keeps only its newest, and those of other pipelines', () => {
  const refused = new RefusedRequests()
  const bytes = refusedBytes(400, wrongToken, '127.0.0.1')
  refused.add({ ...bytes, pipeline: 'orders' })
  for (let n = 0; n < 1000; n++) refused.add({ ...bytes, at: n })
  const kept = refused.after(0)
  expect(kept).toHaveLength(51)
  expect(kept[0]).toMatchObject({ number: 1, refused: { pipeline: 'orders' } })
  expect(kept.slice(1).map(({ number }) => number)).toEqual(
    Array.from({ length: 50 }, (_, index) => 1001 - index),
  )
  expect(refused.after(1000).map(({ number }) => number)).toEqual([1001])
  expect(refused.get(1001)?.at).toBe(999)
  expect(refused.get(2)).toBeUndefined()
  expect(refused.take()).toHaveLength(51)
  expect(refused.after(0)).toEqual([])
})
