import { request } from 'undici'
import { describe, expect, it } from 'vitest'
import type { HttpHandler } from '../../src/contract/index.js'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
import { echo, listen, ok } from './setup.js'

const MADE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Asks with this id, and gives the one of the response. */
async function asked(
  handler: HttpHandler,
  id: string | undefined,
  { path = '/in', method = 'POST', body = 'hi' }: { path?: string; method?: string; body?: string } = {},
) {
  const { url, lines } = await listen(handler)
  const headers = id === undefined ? {} : { 'x-request-id': id }
  const response = await request(`${url}${path}`, { method, body, headers })
  await response.body.dump()
  return { status: response.statusCode, id: response.headers['x-request-id'], lines }
}

const answering = (status: number) => echo({ handle: async () => ({ ...ok('no'), status }) }).handler

describe('request id', () => {
  it('is returned if the sender gave it, and not generated for a success without one', async () => {
    expect(await asked(echo().handler, 'r-1')).toMatchObject({ status: 200, id: 'r-1' })
    expect(await asked(echo().handler, undefined)).toMatchObject({ status: 200, id: undefined })
  })

  it('is generated for a success if the source asked for it', async () => {
    let known: string | undefined
    const { handler } = echo({
      async handle({ requestId }) {
        known = requestId
        return ok('hi')
      },
    })
    const { id } = await asked(handler, undefined)
    expect(id).toMatch(MADE)
    expect(id).toBe(known)
  })

  it.each([
    ['what the source refuses', answering(422), 422, {}],
    ['what fails on our side', answering(503), 503, {}],
    ['a path that nobody serves', echo().handler, 404, { path: '/other' }],
    ['another method', echo().handler, 405, { method: 'PUT' }],
    ['too large a body', echo().handler, 413, { body: 'x'.repeat(2000) }],
  ])('is in the response to %s, given or made', async (_what, handler, status, how) => {
    expect(await asked(handler, 'r-1', how)).toMatchObject({ status, id: 'r-1' })
    expect(await asked(handler, undefined, how)).toMatchObject({ status, id: expect.stringMatching(MADE) })
  })

  it('is in the log of a source that failed', async () => {
    const { handler } = echo({ handle: () => Promise.reject(new Error('broken')) })
    const { id, lines } = await asked(handler, undefined)
    expect(id).toMatch(MADE)
    expect(lines).toMatchObject([{ level: 'error', fields: { request_id: id, code: 'HG_PLUGIN_FAILED' } }])
  })

  it.each([
    ['longer than 128 characters', 'x'.repeat(129)],
    ['with a space', 'a b'],
    ['beyond ASCII', 'a\u00e9'],
    ['empty', ''],
  ])('is one of our own where that of the sender is %s', async (_what, id) => {
    const { port } = await listen(answering(503))
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { 'content-length': 2, 'x-request-id': id }, 'hi'))
    const response = await connection.until((text) => text.endsWith('no'))
    expect(response).toMatch(/\r\nx-request-id: [0-9a-f-]{36}\r\n/)
  })

  it('is generated if the sender gave two', async () => {
    const { port } = await listen(answering(503))
    const connection = await rawConnection(port)
    connection.send(
      'POST /in HTTP/1.1\r\nhost: x\r\nx-request-id: a\r\nx-request-id: b\r\ncontent-length: 0\r\n\r\n',
    )
    expect(await connection.until((text) => text.endsWith('no'))).toMatch(
      /\r\nx-request-id: [0-9a-f-]{36}\r\n/,
    )
  })

  it('is that of the source if its response has one', async () => {
    const response = { ...ok('no'), status: 503, headers: { 'x-request-id': 'its-own' } }
    const { handler } = echo({ handle: async () => response })
    expect((await asked(handler, 'r-1')).id).toBe('its-own')
  })
})
