import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { CommandInput, Io } from '../../src/commands/command.js'
import { tapCommand } from '../../src/commands/tap.js'
import type { RefusedLine, TapLine } from '../../src/tap/line.js'
import { temporaryDirectory } from '../helpers/context.js'
import { runCommand } from '../helpers/recorded-io.js'

const tapping: TapLine = { kind: 'tapping', pipelines: ['orders'], rate: 10 }
const delivered: TapLine = {
  kind: 'event',
  time: '2026-01-01T00:00:00.000Z',
  pipeline: 'orders',
  id: 'a\u001b[31m',
  outcome: 'delivered',
  route: 'eu',
  topic: 'events',
  partition: 1,
  offset: 12,
  ms: 4.3,
  bytes: 9,
}
const refused: TapLine = {
  kind: 'event',
  time: '2026-01-01T00:00:01.000Z',
  pipeline: 'orders',
  outcome: 'rejected',
  ms: 0.1,
  code: 'HG_INTAKE_NOT_JSON',
  message: 'The body is not JSON.',
}
const end: TapLine = { kind: 'end', why: 'limit' }

/** A Headgate that answers so, and what it was asked. */
async function answering(answer: RequestListener) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answer(request, response)
  })
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', () => listening()))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const adminPort = String((server.address() as AddressInfo).port)
  const tap = (options: CommandInput['options'] = {}, io: Partial<Io> = {}) =>
    runCommand(tapCommand, { options: { adminPort, ...options } }, io)
  return { asked, tap }
}

const lines =
  (...given: TapLine[]): RequestListener =>
  (_request, response) => {
    // In pieces that do not end where lines do.
    const text = given.map((line) => `${JSON.stringify(line)}\n`).join('')
    response.write(text.slice(0, 50))
    setImmediate(() => response.end(text.slice(50)))
  }

describe('what is shown', () => {
  test('a line an event, with its body below where there is one', async () => {
    const { tap } = await answering(
      lines(
        tapping,
        delivered,
        { ...delivered, id: 'b', payload: '{"a":"\u202e', cut: true, bytes: 5000 },
        refused,
        { kind: 'idle' },
        { kind: 'skipped', count: 1234 },
        end,
      ),
    )
    const { code, out, err } = await tap()
    expect(out.split('\n')).toEqual([
      '2026-01-01T00:00:00.000Z  delivered      a\\u001b[31m  eu -> events/1@12  4.3 ms',
      '2026-01-01T00:00:00.000Z  delivered      b  eu -> events/1@12  4.3 ms',
      '    {"a":"\\u202e... (5,000 bytes in all)',
      '2026-01-01T00:00:01.000Z  rejected       (no id)  0.1 ms  HG_INTAKE_NOT_JSON: The body is not JSON.',
      '',
    ])
    expect(err).toMatch(/^Showing events of orders, at most 10 a second/)
    expect(err).toContain('... and 1,234 more that are not shown')
    expect(code).toBe(0)
  })

  test('with --json the event as it came', async () => {
    const { tap } = await answering(lines(tapping, delivered, end))
    const { out } = await tap({ json: true })
    expect(JSON.parse(out)).toEqual(delivered)
  })

  test('of several pipelines each is named', async () => {
    const { tap } = await answering(lines({ ...tapping, pipelines: ['orders', 'others'] }, refused, end))
    expect((await tap()).out).toContain('Z  orders  rejected')
  })
})

test('what was asked for is asked, and the body only where it was', async () => {
  const { asked, tap } = await answering(lines(tapping, end))
  await tap({ outcome: ['rejected', 'dropped'], id: ['a&b'], rate: '5', for: '1s', mask: ['/a/*'] })
  await tap({ payload: true })
  await tap({ bytes: '4KiB' })
  expect(asked).toEqual([
    '/tap?outcome=rejected&outcome=dropped&id=a%26b&mask=%2Fa%2F*&rate=5&for=1s',
    '/tap?payload=2KiB',
    '/tap?payload=4KiB',
  ])
})

describe('refused requests', () => {
  const refusedLine: RefusedLine = {
    number: 1,
    time: '2026-01-01T00:00:00.000Z',
    pipeline: 'orders',
    method: 'POST',
    path: '/in\u202e',
    status: 401,
    code: 'HG_INTAKE_UNAUTHENTICATED',
    message: 'The token is wrong.',
    remoteAddress: '10.0.0.7',
    headers: { 'user-agent': 'sender/1' },
    bytes: 2,
    payload: '{}',
  }
  const streamed =
    (...lists: RefusedLine[][]): RequestListener =>
    (_request, response) => {
      response.write(': idle\n\n')
      for (const refused of lists) response.write(`data: ${JSON.stringify({ refused })}\n\n`)
    }

  test('the kept ones are shown oldest first, then those that come', async () => {
    const second = { ...refusedLine, number: 2, unshown: 'It is compressed (gzip).', payload: '' }
    const { method: _, path: __, pipeline: ___, ...noRequest } = { ...refusedLine, status: 400 }
    const { payload: ____, ...binary } = { ...noRequest, bytes: 1234, hex: '1f8b'.repeat(20) }
    const { asked, tap } = await answering(streamed([second, refusedLine], [noRequest], [binary]))
    const options = { refused: true, payload: true, pipeline: ['orders'], limit: '4' }
    const { code, out } = await tap(options)
    const start = '2026-01-01T00:00:00.000Z  401  POST /in\\u202e  orders  from 10.0.0.7 sender/1'
    expect(out.split('\n')).toEqual([
      `${start}  HG_INTAKE_UNAUTHENTICATED: The token is wrong.`,
      '    {}',
      `${start}  HG_INTAKE_UNAUTHENTICATED: The token is wrong.`,
      '    (2 bytes. It is compressed (gzip).)',
      '2026-01-01T00:00:00.000Z  400  (no request)  from 10.0.0.7 sender/1  HG_INTAKE_UNAUTHENTICATED: The token is wrong.',
      '    {}',
      expect.stringContaining('(no request)'),
      `    (1,234 bytes that are no text, from ${'1f8b'.repeat(16)})`,
      '',
    ])
    expect(code).toBe(0)
    expect(asked).toEqual(['/refused?pipeline=orders&payload=2KiB'])
  })

  test('it ends after its time', async () => {
    const { tap } = await answering(streamed([]))
    const { code, out, err } = await tap({ refused: true, for: '300ms', json: true })
    expect({ code, out }).toEqual({ code: 0, out: '' })
    expect(err).toContain('No request has been refused yet')
  })

  test.each([
    [{ route: ['eu'] }, '--route selects events'],
    [{ limit: '0' }, '--limit should be'],
    [{ for: 'ever' }, '--for should be'],
  ])('%o is a wrong use', async (options, problem) => {
    const { tap, asked } = await answering(streamed([]))
    const { code, err } = await tap({ refused: true, ...options })
    expect({ code, asked }).toEqual({ code: 2, asked: [] })
    expect(err).toContain(problem)
  })
})

describe('how it ends', () => {
  test('Ctrl-C is no failure', async () => {
    const stopping = new AbortController()
    const { tap } = await answering(
      (_request, response) => void response.write(`${JSON.stringify(tapping)}\n`),
    )
    const err: string[] = []
    const io = {
      signal: stopping.signal,
      err(text: string) {
        err.push(text)
        stopping.abort()
      },
    }
    expect(await tap({}, io)).toMatchObject({ code: 0, out: '' })
    expect(err).toHaveLength(1)
  })

  test('that Headgate stops is said', async () => {
    const { tap } = await answering(lines(tapping, { kind: 'end', why: 'stopping' }))
    expect(await tap()).toMatchObject({ code: 0, err: expect.stringMatching(/Headgate is stopping\.\n$/) })
  })

  test('a connection that is gone is a failure', async () => {
    const { tap } = await answering((_request, response) => {
      response.write(`${JSON.stringify(tapping)}\n`, () => response.destroy())
    })
    const { code, err } = await tap()
    expect([code, err.trim().split('\n').length]).toEqual([1, 2])
  })

  test('a response without a last line is one, too', async () => {
    const { tap } = await answering(lines(tapping))
    expect(await tap()).toMatchObject({ code: 1, err: expect.stringContaining('The connection was closed') })
  })

  test('what Headgate complains about is passed on', async () => {
    const { tap } = await answering((_request, response) => {
      response.writeHead(400, { 'content-type': 'application/problem+json' })
      response.end(JSON.stringify({ detail: 'There is no pipeline "x". Did you mean "y"?' }))
    })
    const { code, err } = await tap({ pipeline: ['x'] })
    expect(code).toBe(1)
    expect(err).toMatch(/\/tap failed with status 400: There is no pipeline "x"\. Did you mean "y"\?\n$/)
  })

  test('a wrong token is said, and where it is read', async () => {
    const { tap } = await answering((_request, response) => {
      response.writeHead(401).end(JSON.stringify({ message: 'Send the token.' }))
    })
    const adminTokenFile = join(temporaryDirectory({ tokens: 'a-token-that-is-long\n' }), 'tokens')
    expect((await tap({ adminTokenFile })).err).toMatch(/401: Send the token\. Set HEADGATE_ADMIN_TOKEN_FILE/)
  })

  test('that nobody answers is said', async () => {
    expect(await runCommand(tapCommand, { options: { adminPort: '1' } })).toMatchObject({
      code: 1,
      err: expect.stringContaining('Cannot connect to Headgate at http://127.0.0.1:1.'),
    })
  })
})
