import { describe, expect, it } from 'vitest'
import { ReceivedRequest } from '../../src/http/request.js'
import { rawConnection, rawRequest } from '../helpers/raw-connection.js'
import { echo, listen } from './setup.js'

const received = (url: string, rawHeaders: readonly string[] = []) =>
  new ReceivedRequest('POST', {}, url, rawHeaders)

describe('the URL of a request', () => {
  it.each([
    ['/in', '/in', '/in', ''],
    ['/in?', '/in?', '/in', ''],
    ['/in?a=%20b&a=c?d', '/in?a=%20b&a=c?d', '/in', 'a=%20b&a=c?d'],
    ['http://a.example:80/in?x=1', '/in?x=1', '/in', 'x=1'],
    ['http://a.example?x=1', '/?x=1', '/', 'x=1'],
    ['http://a.example', '/', '/', ''],
  ])('%s is taken apart as it was written', (url, target, path, query) => {
    expect(received(url)).toMatchObject({ target, path, query })
  })

  it('decodes the parameters of its query as a form', () => {
    const { parameters } = received('/in?a=%C3%A4+b&a=2&empty')
    expect(parameters.getAll('a')).toEqual(['ä b', '2'])
    expect(parameters.get('empty')).toBe('')
    expect(parameters.get('missing')).toBeNull()
    expect(received('/in??a=1').parameters.get('?a')).toBe('1')
  })

  it('reaches the handler of its path', async () => {
    const { handler, requests } = echo()
    const { post } = await listen(handler)
    expect((await post('/in?challenge=abc', 'hi')).status).toBe(200)
    expect(requests[0]).toMatchObject({ target: '/in?challenge=abc', path: '/in', query: 'challenge=abc' })
  })
})

it('tells whether a header came more than once, in any case of its name', () => {
  const twice = received('/in', ['Host', 'a', 'X-Key', 'one', 'x-key', 'two'])
  expect(twice.isRepeated('x-key')).toBe(true)
  expect(twice.isRepeated('host')).toBe(false)
  expect(twice.isRepeated('x-other')).toBe(false)
})

it.each(['GET', 'HEAD', 'OPTIONS'])('%s reaches a handler that accepts it', async (method) => {
  const { handler, requests } = echo({ methods: ['POST', method] })
  const { port } = await listen(handler)
  const connection = await rawConnection(port)
  connection.send(rawRequest(method, '/in?x=1', {}))
  expect(await connection.until((text) => text.includes('\r\n\r\n'))).toMatch(/^HTTP\/1.1 200 /)
  expect(requests).toMatchObject([{ method, query: 'x=1' }])
})
