import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { rawConnection } from '../helpers/raw-connection.js'
import { until } from '../helpers/until.js'
import { echo, listen, ok } from '../http/setup.js'
import { countSuite } from './count.js'

/**
 * HTTP/1.1 as RFC 9112 frames it (section numbers are its own), with what RFC 9110 says of Host, Expect and Upgrade.
 * For each connection: all its bytes, the statuses of the responses in their order, and whether it then takes a further request.
 */
type After = 'open' | 'closed'
type Case = readonly [name: string, bytes: string, statuses: readonly number[], after: After]

const HOST = 'Host: headgate.example\r\n'
const post = (headers: string, body = '', target = '/in', version = 'HTTP/1.1') =>
  `POST ${target} ${version}\r\n${HOST}${headers}\r\n${body}`
const whole = post('Content-Length: 2\r\n', 'hi')
const chunked = (body: string, headers = '') => post(`Transfer-Encoding: chunked\r\n${headers}`, body)

const cases: readonly Case[] = [
  // 2.2, 3: the request line
  ['a request', whole, [200], 'open'],
  ['two requests in one segment', whole + whole, [200, 200], 'open'],
  ['five requests in one segment', whole.repeat(5), [200, 200, 200, 200, 200], 'open'],
  ['an empty line before the request line (2.2)', `\r\n${whole}`, [200], 'open'],
  ['several empty lines between requests (2.2)', `${whole}\r\n\r\n${whole}`, [200, 200], 'open'],
  ['a blank line with a space before the request line', ` \r\n${whole}`, [400], 'closed'],
  ['a bare LF at the end of lines', 'POST /in HTTP/1.1\nHost: a\nContent-Length: 0\n\n', [400], 'closed'],
  ['a bare CR in a header value', post('X: a\rb\r\n'), [400], 'closed'],
  ['a bare CR at the end of the request line', `POST /in HTTP/1.1\r${HOST}\r\n`, [400], 'closed'],
  ['a lower-case method', `post /in HTTP/1.1\r\n${HOST}\r\n`, [400], 'closed'],
  ['a method that is not known', `BREW /in HTTP/1.1\r\n${HOST}\r\n`, [400], 'closed'],
  ['a method that the path does not take', `GET /in HTTP/1.1\r\n${HOST}\r\n`, [405], 'open'],
  ['a tab in place of a space', `POST\t/in HTTP/1.1\r\n${HOST}\r\n`, [400], 'closed'],
  ['a space at the end of the request line', `POST /in HTTP/1.1 \r\n${HOST}\r\n`, [400], 'closed'],
  ['no target', `POST HTTP/1.1\r\n${HOST}\r\n`, [400], 'closed'],
  ['a space in the target', `POST /in x HTTP/1.1\r\n${HOST}\r\n`, [400], 'closed'],
  ['a control character in the target', `POST /i\x01n HTTP/1.1\r\n${HOST}\r\n`, [400], 'closed'],
  ['a byte over 127 in the target', `POST /\xff HTTP/1.1\r\n${HOST}\r\n`, [400], 'closed'],
  // 2.3: versions
  ['HTTP/1.0', post('Content-Length: 2\r\n', 'hi', '/in', 'HTTP/1.0'), [200], 'closed'],
  [
    'HTTP/1.0 with keep-alive',
    post('Connection: keep-alive\r\nContent-Length: 2\r\n', 'hi', '/in', 'HTTP/1.0'),
    [200],
    'open',
  ],
  ['HTTP/1.0 without Host', 'POST /in HTTP/1.0\r\nContent-Length: 0\r\n\r\n', [200], 'closed'],
  ['HTTP/0.9', 'GET /in\r\n\r\n', [505], 'closed'],
  ['HTTP/2.0 in the request line', post('Content-Length: 2\r\n', 'hi', '/in', 'HTTP/2.0'), [505], 'closed'],
  ['HTTP/3.0 in the request line', post('', '', '/in', 'HTTP/3.0'), [505], 'closed'],
  ['HTTP/1.2 in the request line', post('', '', '/in', 'HTTP/1.2'), [505], 'closed'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [505], 'closed'],
  ['a version of two digits', post('', '', '/in', 'HTTP/1.10'), [400], 'closed'],
  ['a lower-case version', post('', '', '/in', 'http/1.1'), [400], 'closed'],
  ['a version of letters', post('', '', '/in', 'HTTP/a.b'), [400], 'closed'],
  ['another protocol in the request line', post('', '', '/in', 'HTCPCP/1.0'), [400], 'closed'],
  ['TLS on a port for plain HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01', [400], 'closed'],
  // 3.2: targets
  ['the absolute form', post('Content-Length: 2\r\n', 'hi', 'http://a.example/in'), [200], 'open'],
  ['the absolute form of https', post('Content-Length: 2\r\n', 'hi', 'https://a/in?x=1'), [200], 'open'],
  ['the absolute form of another path', post('', '', 'http://a/x/../in'), [404], 'open'],
  ['the absolute form with percent-encoding', post('', '', 'http://a/%69n'), [404], 'open'],
  ['the absolute form of another scheme', post('', '', 'ftp://a/in'), [404], 'open'],
  ['dot segments in the origin form', post('', '', '/x/../in'), [404], 'open'],
  ['backslashes in the origin form', post('', '', '/x\\..\\in'), [404], 'open'],
  ['two slashes in the origin form', post('', '', '//in'), [404], 'open'],
  ['the asterisk form', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, [404], 'open'],
  ['the authority form', `CONNECT a.example:443 HTTP/1.1\r\n${HOST}\r\n`, [405], 'closed'],
  [
    'the authority form behind a request',
    `${whole}CONNECT a:443 HTTP/1.1\r\n${HOST}\r\n`,
    [200, 405],
    'closed',
  ],
  ['a relative target', post('', '', 'in'), [400], 'closed'],
  // RFC 9110, 7.2: Host
  ['no Host', 'POST /in HTTP/1.1\r\nContent-Length: 0\r\n\r\n', [400], 'closed'],
  ['an empty Host', 'POST /in HTTP/1.1\r\nHost:\r\nContent-Length: 0\r\n\r\n', [200], 'open'],
  ['two Host lines', post(`${HOST}Content-Length: 2\r\n`, 'hi'), [400], 'closed'],
  ['two different Host lines', post('hOST: other\r\nContent-Length: 2\r\n', 'hi'), [400], 'closed'],
  ['two Host lines in HTTP/1.0', post(HOST, '', '/in', 'HTTP/1.0'), [400], 'closed'],
  ['a Host with a space in it', 'POST /in HTTP/1.1\r\nHost: a b\r\n\r\n', [400], 'closed'],
  ['a Host with a path', 'POST /in HTTP/1.1\r\nHost: a/b\r\n\r\n', [400], 'closed'],
  ['two Host lines behind a request', whole + post(`${HOST}Content-Length: 0\r\n`), [200, 400], 'closed'],
  // 5: header lines
  ['a space before the colon (5.1)', post('Content-Length : 2\r\n', 'hi'), [400], 'closed'],
  ['a space before the name', post(' X: a\r\nContent-Length: 0\r\n'), [400], 'closed'],
  ['a folded line (5.2)', post('X: a\r\n b\r\nContent-Length: 0\r\n'), [400], 'closed'],
  ['a line without a colon', post('X\r\n'), [400], 'closed'],
  ['an empty name', post(': a\r\n'), [400], 'closed'],
  ['a name that is no token', post('X(y): a\r\n'), [400], 'closed'],
  ['NUL in a value', post('X: a\0b\r\n'), [400], 'closed'],
  ['a control character in a value', post('X: a\x7fb\r\n'), [400], 'closed'],
  ['bytes over 127 in a value', post('X: \xff\xfe\r\nContent-Length: 2\r\n', 'hi'), [200], 'open'],
  ['an empty value', post('X:\r\nContent-Length: 2\r\n', 'hi'), [200], 'open'],
  ['tabs around a value', post('X:\t a \t\r\nContent-Length:\t2\r\n', 'hi'), [200], 'open'],
  ['a header that is too large', post(`X: ${'x'.repeat(17_000)}\r\n`), [431], 'closed'],
  ['too many headers', post('X: y\r\n'.repeat(120)), [431], 'closed'],
  // 6.1: Transfer-Encoding
  ['chunked', chunked('2\r\nhi\r\n0\r\n\r\n'), [200], 'open'],
  ['chunked, upper case', post('TRANSFER-ENCODING: CHUNKED\r\n', '2\r\nhi\r\n0\r\n\r\n'), [200], 'open'],
  [
    'chunked behind another request',
    whole + chunked('2\r\nhi\r\n0\r\n\r\n') + whole,
    [200, 200, 200],
    'open',
  ],
  ['gzip, chunked', post('Transfer-Encoding: gzip, chunked\r\n', '2\r\nhi\r\n0\r\n\r\n'), [501], 'closed'],
  [
    'gzip and chunked on two lines',
    post('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', '2\r\nhi\r\n0\r\n\r\n'),
    [501],
    'closed',
  ],
  ['chunked, gzip', post('Transfer-Encoding: chunked, gzip\r\n', '2\r\nhi\r\n0\r\n\r\n'), [400], 'closed'],
  ['gzip alone', post('Transfer-Encoding: gzip\r\n', 'hi'), [501], 'closed'],
  ['identity', post('Transfer-Encoding: identity\r\nContent-Length: 2\r\n', 'hi'), [400], 'closed'],
  ['a coding that is not known', post('Transfer-Encoding: xchunked\r\n', 'hi'), [501], 'closed'],
  ['a coding with a parameter', post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'), [501], 'closed'],
  ['chunked twice', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), [400], 'closed'],
  ['an empty Transfer-Encoding', post('Transfer-Encoding:\r\n', '2\r\nhi\r\n0\r\n\r\n'), [501], 'closed'],
  [
    'chunked in HTTP/1.0',
    post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n', '/in', 'HTTP/1.0'),
    [400],
    'closed',
  ],
  [
    'chunked in HTTP/1.0 with keep-alive',
    post('Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n', '/in', 'HTTP/1.0'),
    [400],
    'closed',
  ],
  // 6.2, 6.3: Content-Length
  ['no length: no body', post(''), [200], 'open'],
  ['a length of zero', post('Content-Length: 0\r\n'), [200], 'open'],
  ['leading zeros', post('Content-Length: 002\r\n', 'hi'), [200], 'open'],
  ['Content-Length and Transfer-Encoding', chunked('0\r\n\r\n', 'Content-Length: 3\r\n'), [400], 'closed'],
  [
    'Transfer-Encoding behind Content-Length',
    post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    [400],
    'closed',
  ],
  ['two different lengths', post('Content-Length: 2\r\nContent-Length: 3\r\n', 'hi'), [400], 'closed'],
  ['the same length twice', post('Content-Length: 2\r\nContent-Length: 2\r\n', 'hi'), [400], 'closed'],
  ['a list of lengths', post('Content-Length: 2, 2\r\n', 'hi'), [400], 'closed'],
  ['a negative length', post('Content-Length: -1\r\n'), [400], 'closed'],
  ['a length with a sign', post('Content-Length: +2\r\n', 'hi'), [400], 'closed'],
  ['a hexadecimal length', post('Content-Length: 0x2\r\n', 'hi'), [400], 'closed'],
  ['a length with a fraction', post('Content-Length: 2.0\r\n', 'hi'), [400], 'closed'],
  ['an empty length', post('Content-Length:\r\n', 'hi'), [400], 'closed'],
  ['a length beyond 64 bits', post('Content-Length: 18446744073709551618\r\n', 'hi'), [400], 'closed'],
  ['a body longer than is accepted', post('Content-Length: 2000\r\n', 'x'.repeat(2000)), [413], 'open'],
  [
    'a body shorter than its length says, and a request in it',
    post(`Content-Length: ${whole.length}\r\n`, whole),
    [200],
    'open',
  ],
  ['bytes behind the body', `${whole}x\r\n\r\n`, [200, 400], 'closed'],
  [
    'a length counted in characters',
    post('Content-Length: 10\r\n', '{"id":"\xc3\xa4"}'),
    [200, 400],
    'closed',
  ],
  [
    'bytes behind the body of a request that is refused',
    `${post('Content-Length: 2\r\n', 'hi', '/no')}}`,
    [404, 400],
    'closed',
  ],
  ['bytes behind several requests', `${whole.repeat(3)}}\r\n`, [200, 200, 200, 400], 'closed'],
  // 7.1: chunks
  ['chunk sizes in upper case', chunked(`A\r\n0123456789\r\n0\r\n\r\n`), [200], 'open'],
  ['chunk sizes with leading zeros', chunked('0002\r\nhi\r\n000\r\n\r\n'), [200], 'open'],
  ['a chunk extension (7.1.1)', chunked('2;a=b;c="d"\r\nhi\r\n0;e\r\n\r\n'), [200], 'open'],
  ['trailers (7.1.2)', chunked('2\r\nhi\r\n0\r\nX: y\r\nZ: z\r\n\r\n'), [200], 'open'],
  ['a trailer that frames', chunked('2\r\nhi\r\n0\r\nContent-Length: 5\r\n\r\n'), [400], 'closed'],
  ['a chunk size that is no number', chunked('x\r\nhi\r\n0\r\n\r\n'), [400], 'closed'],
  ['an empty chunk size', chunked('\r\nhi\r\n0\r\n\r\n'), [400], 'closed'],
  ['a negative chunk size', chunked('-2\r\nhi\r\n0\r\n\r\n'), [400], 'closed'],
  ['a chunk size with 0x', chunked('0x2\r\nhi\r\n0\r\n\r\n'), [400], 'closed'],
  ['a chunk size with a space behind it', chunked('2 \r\nhi\r\n0\r\n\r\n'), [400], 'closed'],
  ['a chunk size beyond 64 bits', chunked('10000000000000002\r\nhi\r\n0\r\n\r\n'), [400], 'closed'],
  ['a chunk longer than its size', chunked('2\r\nhij\r\n0\r\n\r\n'), [400], 'closed'],
  ['a chunk shorter than its size', chunked('3\r\nhi\r\n0\r\n\r\n'), [400], 'closed'],
  ['bare LF in chunks', chunked('2\nhi\n0\n\n'), [400], 'closed'],
  ['a bare LF behind the chunk data', chunked('2\r\nhi\n0\r\n\r\n'), [400], 'closed'],
  ['a bare LF in a chunk extension', chunked('2;a\nx\r\nhi\r\n0\r\n\r\n'), [400], 'closed'],
  ['a bare CR in a chunk extension', chunked('2;a\rx\r\nhi\r\n0\r\n\r\n'), [400], 'closed'],
  ['extensions without end', chunked(`2;${'x'.repeat(20_000)}\r\nhi\r\n0\r\n\r\n`), [400], 'closed'],
  ['trailers without end', chunked(`2\r\nhi\r\n0\r\n${'x: y\r\n'.repeat(9000)}`), [431], 'closed'],
  ['a broken chunk behind a request', whole + chunked('2\r\nhij'), [200, 400], 'closed'],
  ['chunks longer than is accepted', chunked(`800\r\n${'x'.repeat(2048)}\r\n0\r\n\r\n`), [413], 'closed'],
  ['chunked, and bytes behind the body', `${chunked('2\r\nhi\r\n0\r\n\r\n')}x\r\n`, [200, 400], 'closed'],
  // 9.3, 9.6: persistence
  ['Connection: close', post('Connection: close\r\nContent-Length: 2\r\n', 'hi'), [200], 'closed'],
  [
    'a request behind Connection: close',
    post('Connection: close\r\nContent-Length: 2\r\n', 'hi') + whole,
    [200],
    'closed',
  ],
  ['junk behind Connection: close', `${post('Connection: close\r\n')}junk`, [200], 'closed'],
  ['junk behind HTTP/1.0', `${post('', '', '/in', 'HTTP/1.0')}junk`, [200], 'closed'],
  ['close among other options', post('Connection: x, CLOSE\r\n'), [200], 'closed'],
  ['close behind a request', whole + post('Connection: close\r\n'), [200, 200], 'closed'],
  // RFC 9110, 7.8 and 10.1.1
  ['Expect: 100-continue', post('Expect: 100-continue\r\nContent-Length: 2\r\n', 'hi'), [100, 200], 'open'],
  [
    'Expect in HTTP/1.0',
    post('Expect: 100-continue\r\nContent-Length: 2\r\n', 'hi', '/in', 'HTTP/1.0'),
    [200],
    'closed',
  ],
  ['another expectation', post('Expect: x\r\nContent-Length: 2\r\n', 'hi'), [417], 'closed'],
  ['another expectation and two Host lines', post(`Expect: x\r\n${HOST}`), [400], 'closed'],
  ['Upgrade without a body', post('Connection: Upgrade\r\nUpgrade: h2c\r\n'), [200], 'open'],
  [
    'a request behind Upgrade without a body',
    post('Connection: Upgrade\r\nUpgrade: websocket\r\n') + whole,
    [200, 200],
    'open',
  ],
  [
    'a request behind Upgrade with a body',
    post('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 2\r\n', 'hi') + whole,
    [200, 200],
    'open',
  ],
  [
    'chunked with Upgrade, and requests around it',
    whole + chunked('2\r\nhi\r\n0\r\n\r\n', 'Connection: upgrade\r\nUpgrade: h2c\r\n') + whole,
    [200, 200, 200],
    'open',
  ],
  [
    'many Upgrades',
    post('Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n', 'hi').repeat(12),
    Array(12).fill(200),
    'open',
  ],
  ['Upgrade and close', post('Connection: Upgrade, close\r\nUpgrade: h2c\r\n'), [200], 'closed'],
  [
    'junk behind Upgrade',
    `${post('Connection: Upgrade\r\nUpgrade: h2c\r\n')}}\r\n\r\n`,
    [200, 400],
    'closed',
  ],
  ['Upgrade with two Host lines', post(`Connection: Upgrade\r\nUpgrade: h2c\r\n${HOST}`), [400], 'closed'],
  ['Upgrade that Connection does not name', post('Upgrade: h2c\r\n') + whole, [200, 200], 'open'],
]

const probe = post('Content-Length: 5\r\n', 'probe')
const statusesOf = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

/** Answers late, so that what comes behind a request is there before its response. */
const late = () =>
  echo({
    async handle({ body }) {
      await nextTurn()
      await nextTurn()
      return ok(String(body))
    },
  }).handler

async function outcomeOf(bytes: string, expected: number, after: After, inPieces: boolean) {
  const { port, statuses, listener } = await listen(late())
  const connection = await rawConnection(port)
  if (inPieces)
    for (const byte of Buffer.from(bytes, 'latin1')) {
      connection.send(Buffer.of(byte))
      await nextTurn()
    }
  else connection.send(Buffer.from(bytes, 'latin1'))
  let text: string
  if (after === 'closed') text = await connection.closed()
  else {
    await connection.until((received) => statusesOf(received).length >= expected)
    connection.send(probe)
    text = await connection.until((received) => received.endsWith('\r\n\r\nprobe'))
  }
  await until(() => listener.usage().bodyBytes === 0)
  const counted = [...statuses.pipeline, ...statuses.nobody].sort()
  return { statuses: statusesOf(text), counted }
}

describe.each([
  ['in one segment', false],
  ['byte by byte', true],
])('a connection, %s', (_how, inPieces) => {
  const table = inPieces ? cases.filter(([, bytes]) => bytes.length < 1000) : cases
  it.each(table)('%s', async (_name, bytes, expected, after) => {
    const outcome = await outcomeOf(bytes, expected.length, after, inPieces)
    const all = after === 'open' ? [...expected, 200] : expected
    expect(outcome.statuses).toEqual(all)
    expect(outcome.counted).toEqual(all.filter((status) => status !== 100).sort())
  })
})

countSuite('RFC 9112 framing', cases.length)
