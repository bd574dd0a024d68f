import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { headError, pathOf, streamHeadError } from '../../src/http/request-head.js'

const head = (lines: readonly (readonly [string, string])[], httpVersion = '1.1') => {
  const headers: { [name: string]: string } = {}
  for (const [name, value] of lines) headers[name.toLowerCase()] ??= value
  return headError({ httpVersion, headers, rawHeaders: lines.flat() })?.code
}
const HOST = ['Host', 'headgate.example'] as const

describe('headError', () => {
  it.each(['a', 'a:80', 'a:', '', '[::1]:8080', '10.0.0.1', 'a_b.c-d:1', 'a%20b'])(
    'takes the Host %j',
    (host) => expect(head([['host', host]])).toBeUndefined(),
  )

  it.each(['a b', 'a/b', 'a@b', 'a:b', '[::1', '::1', 'a#', 'a?', 'a\\b', 'é'])(
    'refuses the Host %j',
    (host) => expect(head([['host', host]])).toBe('HG_INTAKE_MALFORMED'),
  )

  it('requires exactly one Host line, in any position and case', () => {
    expect(head([])).toBe('HG_INTAKE_MALFORMED')
    expect(head([], '1.0')).toBeUndefined()
    for (const second of ['host', 'HOST', 'hOsT'])
      for (const version of ['1.1', '1.0'])
        expect(head([HOST, ['accept', '*/*'], ['x', 'host'], [second, HOST[1]]], version)).toBe(
          'HG_INTAKE_MALFORMED',
        )
  })

  it.each(['0.9', '2.0', '3.0', '1.2'])('refuses HTTP/%s', (version) =>
    expect(head([HOST], version)).toBe('HG_INTAKE_HTTP_VERSION'),
  )

  it.each(['gzip, chunked', 'chunked, gzip', 'gzip', 'identity', '', 'chunked;q=1', 'xchunked', 'chunked,'])(
    'refuses Transfer-Encoding: %s',
    (coding) => expect(head([HOST, ['transfer-encoding', coding]])).toBe('HG_INTAKE_TRANSFER_ENCODING'),
  )

  it('accepts chunked, in any case, but not in HTTP/1.0', () => {
    expect(head([HOST, ['transfer-encoding', 'Chunked']])).toBeUndefined()
    expect(head([HOST, ['transfer-encoding', 'chunked']], '1.0')).toBe('HG_INTAKE_MALFORMED')
  })

  it('accepts a hundred header lines', () => {
    const lines = (count: number) => [
      HOST,
      ...Array.from({ length: count - 1 }, (_, n) => [`x-${n}`, ''] as const),
    ]
    expect(head(lines(100))).toBeUndefined()
    expect(head(lines(101))).toBe('HG_INTAKE_HEADERS_TOO_LARGE')
  })
})

describe('pathOf', () => {
  it.each([
    ['/in', '/in'],
    ['/in?a=/b?c', '/in'],
    ['/?', '/'],
    ['http://a/in', '/in'],
    ['HTTPS://a:80/in?x=http://b/c', '/in'],
    ['http://a', '/'],
    ['http://a?x=/in', '/'],
  ])('the path of %s is %s', (target, path) => expect(pathOf(target)).toBe(path))

  it.each([
    'http://a/x/../in',
    'http://a/./in',
    'http://a/%69n',
    'http://a\\in',
    'http://a/x\\..\\in',
    'http://a//in',
    'http:///in',
    'http:/in',
    'http:in',
    'ftp://a/in',
    'http://a#/in',
    'http://a/in#x',
    '/x/../in',
    '/%69n',
    '/in/',
    '//in',
    '*',
    'in',
    '',
  ])('%s is no way to /in', (target) => expect(pathOf(target)).not.toBe('/in'))

  it('treats the absolute form as the origin form', () => {
    const path = fc.string({ unit: fc.constantFrom('/', '.', '\\', '%', '2', 'e', 'a', ':', '@', '#') })
    fc.assert(
      fc.property(path, (rest) => {
        expect(pathOf(`http://a.example:80/${rest}`)).toBe(pathOf(`/${rest}`))
        expect(pathOf(`/${rest}`)).toBe(`/${rest}`)
      }),
    )
  })
})

describe('the head of a request of HTTP/2', () => {
  const of = (
    lines: readonly (readonly [string, string])[],
    { method = 'POST', authority = 'localhost' } = {},
  ) => {
    const headers = { host: authority, ...Object.fromEntries(lines) }
    return streamHeadError({ method, headers, rawHeaders: lines.flat(), authority }, 1000)
  }

  it('may have a host and port, and as many headers as with HTTP/1', () => {
    expect(of([])).toBeUndefined()
    expect(of([['host', 'localhost']])).toBeUndefined()
    expect(of([], { authority: '[::1]:8443' })).toBeUndefined()
    expect(of(Array.from({ length: 104 }, () => ['a', 'b'] as const))).toBeUndefined()
  })

  it.each([
    ['is too long', of([['a', 'x'.repeat(1000)]]), 'HG_INTAKE_HEADERS_TOO_LARGE'],
    [
      'has too many lines',
      of(Array.from({ length: 105 }, () => ['a', 'b'] as const)),
      'HG_INTAKE_HEADERS_TOO_LARGE',
    ],
    ['asks for a tunnel', of([], { method: 'CONNECT' }), 'HG_INTAKE_METHOD'],
    ['names no host', of([], { authority: 'user@localhost' }), 'HG_INTAKE_MALFORMED'],
    ['names two hosts', of([['host', 'elsewhere']]), 'HG_INTAKE_MALFORMED'],
    [
      'names its host twice',
      of([
        ['host', 'localhost'],
        ['host', 'localhost'],
      ]),
      'HG_INTAKE_MALFORMED',
    ],
  ])('is refused if it %s', (_what, error, code) => {
    expect(error?.code).toBe(code)
  })
})
