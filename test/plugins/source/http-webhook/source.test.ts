import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { HeadgateError } from '../../../../src/contract/errors.js'
import type { Outcome } from '../../../../src/contract/index.js'
import { rawConnection, rawRequest } from '../../../helpers/raw-connection.js'
import { until } from '../../../helpers/until.js'
import { heldPath, startWebhook, TOKEN } from './webhook.js'

const receipt = { topic: 'orders', partition: 1, offset: 42 }
const auth = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }

describe('http-webhook: responses', () => {
  it('names the position of a delivered event', async () => {
    const { post, events, outcomes, statuses } = await startWebhook()
    expect(await post('{"id":"e1"}')).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json' },
      json: { id: 'e1', outcome: 'delivered', ...receipt },
    })
    expect(events).toMatchObject([{ id: 'e1', receivedAt: expect.any(Number) }])
    expect(outcomes).toHaveLength(1)
    expect(statuses).toEqual([200])
  })

  it.each<[Outcome, number, object]>([
    [{ kind: 'duplicate', id: 'a', receipt }, 200, { id: 'a', outcome: 'duplicate', ...receipt }],
    [{ kind: 'dead-lettered', id: 'a', receipt }, 202, { id: 'a', outcome: 'dead-lettered', ...receipt }],
    [{ kind: 'dropped', id: 'a' }, 200, { id: 'a', outcome: 'dropped' }],
  ])('answers %o', async (outcome, status, json) => {
    const { post } = await startWebhook({}, () => outcome)
    const response = await post('{"id":"a"}')
    expect(response.status).toBe(status)
    expect(response.json).toEqual(json)
  })

  it('distinguishes bad data from our own faults', async () => {
    const responses = [
      new HeadgateError('HG_SCHEMA_VIOLATION', 'One violation.', {
        violations: [{ pointer: '/x', message: 'is required' }],
      }),
      new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is away.'),
    ]
    const { post } = await startWebhook({}, ({ id }) => {
      const error = responses.shift() as HeadgateError
      return { kind: error.kind === 'data' ? 'rejected' : 'unavailable', id, error }
    })
    const rejected = await post('{"id":"a"}')
    expect(rejected).toMatchObject({
      status: 422,
      json: { id: 'a', code: 'HG_SCHEMA_VIOLATION', errors: [{ pointer: '/x' }] },
    })
    expect(rejected.headers).not.toHaveProperty('retry-after')
    expect(await post('{"id":"a"}')).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
  })
})

describe('http-webhook: refusals', () => {
  it.each<[string, number, { [name: string]: string }, string]>([
    ['a wrong token', 401, { authorization: 'Bearer x' }, '{"id":"a"}'],
    ['another media type', 415, { 'content-type': 'text/plain' }, '{"id":"a"}'],
    ['too large a body', 413, {}, `{"id":"${'a'.repeat(2000)}"}`],
    ['no JSON', 400, {}, '{"id"'],
    ['a duplicate key', 400, {}, '{"id":"a","id":"b"}'],
  ])('tells the engine which request it was: %s', async (_what, status, headers, body) => {
    const { post, requests } = await startWebhook({ maxBody: '1KiB' })
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const response = await post(body, { ...headers, traceparent, 'x-request-id': 'r-1' })
    expect(response).toMatchObject({ status, headers: { 'x-request-id': 'r-1' } })
    expect(requests).toMatchObject([{ requestId: 'r-1', traceparent }])
    const made = await post(body, headers)
    expect(made.headers['x-request-id']).toBe(requests[1]?.requestId)
    expect(requests[1]?.requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  it.each([
    ['no token', { authorization: '' }, 401, 'HG_INTAKE_UNAUTHENTICATED', { 'www-authenticate': 'Bearer' }],
    [
      'another token',
      { authorization: 'Bearer x' },
      401,
      'HG_INTAKE_UNAUTHENTICATED',
      { 'www-authenticate': 'Bearer' },
    ],
    ['text', { 'content-type': 'text/plain' }, 415, 'HG_INTAKE_MEDIA_TYPE', { accept: 'application/json' }],
    ['gzip', { 'content-encoding': 'gzip' }, 415, 'HG_INTAKE_ENCODING', { 'accept-encoding': 'identity' }],
  ])('refuses %s, as one outcome', async (_what, headers, status, code, expected) => {
    const { post, events, outcomes, statuses } = await startWebhook()
    expect(await post('{"id":"a"}', headers)).toMatchObject({ status, json: { code }, headers: expected })
    expect(events).toEqual([])
    expect(outcomes).toMatchObject([{ kind: 'rejected', error: { code } }])
    expect(statuses).toEqual([status])
  })

  it.each([
    ['a wrong signature', { 'x-sig': 'ab'.repeat(32) }],
    ['no signature', {}],
  ])('looks at %s before anything else does at the body', async (_what, headers) => {
    const verify = { scheme: 'hmac', header: 'X-Sig', secrets: ['shared'] }
    const { post, events, outcomes } = await startWebhook({ verify })
    const refused = await post('this is not JSON', headers)
    expect(refused).toMatchObject({ status: 401, json: { code: 'HG_INTAKE_UNAUTHENTICATED' } })
    expect(refused.headers).not.toHaveProperty('www-authenticate')
    expect(outcomes).toMatchObject([{ kind: 'rejected', error: { code: 'HG_INTAKE_UNAUTHENTICATED' } }])
    const body = '{"id":"a"}'
    const signature = createHmac('sha256', 'shared').update(body).digest('hex')
    expect((await post(body, { 'x-sig': signature })).status).toBe(200)
    expect(events).toHaveLength(1)
  })

  it('accepts a signed Standard Webhook, with its id from the header', async () => {
    const verify = { scheme: 'standard-webhooks', secrets: ['whsec_c2hhcmVkIHNlY3JldA=='] }
    const { post } = await startWebhook({ verify, eventId: 'header:webhook-id' })
    const timestamp = String(Math.floor(Date.now() / 1000))
    const signature = createHmac('sha256', 'shared secret').update(`msg_1.${timestamp}.{}`).digest('base64')
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    }
    expect(await post('{}', headers)).toMatchObject({ status: 200, json: { id: 'msg_1' } })
    expect((await post('{ }', headers)).status).toBe(401)
  })

  it('accepts events from anyone if the config allows it', async () => {
    const { post } = await startWebhook({ verify: { scheme: 'none' } })
    expect((await post('{"id":"a"}', { authorization: '' })).status).toBe(200)
  })

  it('refuses a body over the limit, as one outcome, whether its length is declared or not', async () => {
    const { port, outcomes } = await startWebhook({ maxBody: '16B' })
    const declared = await rawConnection(port)
    declared.send(rawRequest('POST', '/in', { ...auth, 'content-length': 17 }, '{"id":"12345678"}'))
    const counted = await rawConnection(port)
    counted.send(
      rawRequest(
        'POST',
        '/in',
        { ...auth, 'transfer-encoding': 'chunked' },
        '11\r\n{"id":"12345678"}\r\n0\r\n\r\n',
      ),
    )
    for (const connection of [declared, counted]) {
      expect(await connection.until((text) => text.endsWith('}'))).toMatch(
        /^HTTP\/1.1 413 [\s\S]*larger than 16B/,
      )
    }
    expect(outcomes).toMatchObject(
      Array(2).fill({ kind: 'rejected', error: { code: 'HG_INTAKE_TOO_LARGE' } }),
    )
  })

  it('refuses a sender without a token before it has sent its body', async () => {
    const { port } = await startWebhook()
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { 'content-type': 'application/json', 'content-length': 1000 }))
    expect(await connection.until((text) => text.endsWith('}'))).toMatch(/^HTTP\/1.1 401 /)
  })

  it('does not count a request that is no delivery', async () => {
    const { port, outcomes, statuses } = await startWebhook({ methods: ['PUT', 'POST'] })
    const connection = await rawConnection(port)
    connection.send(rawRequest('GET', '/in', {}))
    expect(await connection.until((text) => text.endsWith('}'))).toMatch(
      /^HTTP\/1.1 405 [\s\S]*allow: PUT, POST\r\n/,
    )
    expect(outcomes).toEqual([])
    expect(statuses).toEqual([405])
  })

  it.each([
    ['an unfinished document', '{"id":"a"', 'HG_INTAKE_NOT_JSON'],
    ['an empty body', '', 'HG_INTAKE_NOT_JSON'],
    [
      'invalid UTF-8',
      Buffer.from([0x7b, 0x22, 0x69, 0x64, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]),
      'HG_INTAKE_NOT_UTF8',
    ],
    ['an overlong encoding', Buffer.from('7b226964223a22c0af227d', 'hex'), 'HG_INTAKE_NOT_UTF8'],
    [
      '10,000 nested arrays',
      `{"id":"a","x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      'HG_INTAKE_TOO_DEEP',
    ],
    ['10,000 opened arrays', '['.repeat(10_000), 'HG_INTAKE_NOT_JSON'],
    ['a duplicate key', '{"id":"a","id":"b"}', 'HG_INTAKE_DUPLICATE_KEY'],
    ['a duplicate key in disguise', '{"id":"a","\\u0069d":"b"}', 'HG_INTAKE_DUPLICATE_KEY'],
    ['a missing id', '{"ID":"a"}', 'HG_INTAKE_NO_ID'],
  ])('refuses %s, as one outcome', async (_what, body, code) => {
    const { post, events, outcomes } = await startWebhook()
    expect(await post(body)).toMatchObject({ status: 400, json: { code } })
    expect(events).toEqual([])
    expect(outcomes).toMatchObject([{ kind: 'rejected', id: undefined, error: { code } }])
  })

  it('accepts nesting up to the limit', async () => {
    const { post } = await startWebhook({ maxDepth: 3 })
    expect((await post('{"id":"a","x":[[1]]}')).status).toBe(200)
    expect((await post('{"id":"a","x":[[[1]]]}')).json).toMatchObject({ code: 'HG_INTAKE_TOO_DEEP' })
  })
})

describe('http-webhook: events', () => {
  it('keeps the bytes, and treats `__proto__` as data', async () => {
    const body = '{ "id":"a", "__proto__":{"polluted":true}, "n":1.0, "big":12345678901234567890 }'
    const { post, events } = await startWebhook()
    await post(body)
    expect(events[0]?.body.bytes.toString()).toBe(body)
    expect(Object.keys(events[0]?.body.value as object)).toEqual(['id', '__proto__', 'n', 'big'])
    expect({}).not.toHaveProperty('polluted')
  })

  it.each([
    ['one too large for a double', '1e400'],
    ['one of 100,000 digits', '7'.repeat(100_000)],
    ['one of 100,000 decimals', `0.${'3'.repeat(100_000)}`],
    ['one with a huge exponent', '-1E-999999999'],
  ])('keeps the digits of a huge number: %s', async (_what, number) => {
    const body = `{"id":"a","n":${number}}`
    const { post, events } = await startWebhook()
    expect((await post(body)).status).toBe(200)
    expect(events[0]?.body.bytes.toString()).toBe(body)
  })

  it('keeps all digits of an integer id', async () => {
    const { post } = await startWebhook()
    expect((await post('{"id": 12345678901234567890123 }')).json).toMatchObject({
      id: '12345678901234567890123',
    })
  })

  it('reads the id from a header if the config says so', async () => {
    const { post } = await startWebhook({ eventId: 'header:X-Event-Id' })
    expect((await post('[]', { 'x-event-id': 'h-1' })).json).toMatchObject({ id: 'h-1' })
    expect(await post('[]')).toMatchObject({ status: 400, json: { code: 'HG_INTAKE_NO_ID' } })
  })

  it('keeps only a valid trace context', async () => {
    const { post, events } = await startWebhook()
    const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    for (const traceparent of [
      valid,
      valid.toUpperCase(),
      valid.replace('00-', 'ff-'),
      valid.replace(/-[0-9a-f]{32}-/, `-${'0'.repeat(32)}-`),
      valid.replace(/-[0-9a-f]{16}-/, `-${'0'.repeat(16)}-`),
      `${valid}-extra`,
    ]) {
      await post('{"id":"a"}', { traceparent })
    }
    expect(events.map(({ traceparent }) => traceparent)).toEqual([valid, ...Array(5).fill(undefined)])
    expect(events[1]).not.toHaveProperty('traceparent')
  })

  it('keeps the state of a trace only with its context', async () => {
    const { post, events } = await startWebhook()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const tracestate = 'vendor=a:1, other=b'
    await post('{"id":"a"}', { traceparent, tracestate })
    await post('{"id":"b"}', { traceparent, tracestate: 'no state' })
    await post('{"id":"c"}', { traceparent: 'none', tracestate })
    expect(events).toMatchObject([{ traceparent, tracestate }, { traceparent }, {}])
    expect(events.map((event) => 'tracestate' in event)).toEqual([true, false, false])
  })
})

describe('http-webhook: load', () => {
  it('responds 503 at once at the limit of events in flight, and accepts events again afterwards', async () => {
    const { path, waiting } = heldPath()
    const { post, port, outcomes } = await startWebhook({ maxInFlight: 2 }, path)
    const first = [post('{"id":"a"}'), post('{"id":"b"}')]
    await until(() => waiting.length === 2)
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { ...auth, 'content-length': 1000 }))
    expect(await connection.until((text) => text.endsWith('}'))).toMatch(
      /^HTTP\/1.1 503 [\s\S]*retry-after: [\s\S]*HG_INTAKE_BUSY/,
    )
    expect(outcomes).toMatchObject([{ kind: 'unavailable', error: { code: 'HG_INTAKE_BUSY' } }])
    for (const finish of waiting) finish()
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200])
    const next = post('{"id":"c"}')
    await until(() => waiting.length === 3)
    waiting[2]?.()
    expect((await next).status).toBe(200)
  })

  it('divides the limit of events in flight by the workers that share the listener', async () => {
    const { path, waiting } = heldPath()
    const { post } = await startWebhook({ maxInFlight: 3 }, path, { sharedBy: 2 })
    const first = [post('{"id":"a"}'), post('{"id":"b"}')]
    await until(() => waiting.length === 2)
    expect(await post('{"id":"c"}')).toMatchObject({ status: 503, json: { code: 'HG_INTAKE_BUSY' } })
    for (const finish of waiting) finish()
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200])
  })

  it('checks the limit again when the body has arrived', async () => {
    const { path, waiting } = heldPath()
    const { post, port } = await startWebhook({ maxInFlight: 1 }, path)
    const slow = await rawConnection(port)
    slow.send(rawRequest('POST', '/in', { ...auth, expect: '100-continue', 'content-length': 10 }))
    await slow.until((text) => text.includes('100 Continue'))
    const fast = post('{"id":"b"}')
    await until(() => waiting.length === 1)
    slow.send('{"id":"a"}')
    expect(await slow.until((text) => text.endsWith('}'))).toContain('HG_INTAKE_BUSY')
    waiting[0]?.()
    expect((await fast).status).toBe(200)
  })

  it('responds 503 when an event takes too long, keeps it in flight and counts it once', async () => {
    const { path, waiting } = heldPath()
    const { post, outcomes, source } = await startWebhook({ responseTimeout: '20ms', maxInFlight: 1 }, path)
    expect(await post('{"id":"a"}')).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      json: { code: 'HG_INTAKE_TIMEOUT', id: 'a' },
    })
    expect(outcomes).toEqual([])
    expect((await post('{"id":"b"}')).json).toMatchObject({ code: 'HG_INTAKE_BUSY' })
    waiting[0]?.()
    await source.stop()
    expect(outcomes.map(({ kind }) => kind)).toEqual(['unavailable', 'delivered'])
  })
})

describe('http-webhook: memory', () => {
  it('responds 503 to a body that the process has no memory for, as one outcome', async () => {
    const { path, waiting } = heldPath()
    const { post, outcomes } = await startWebhook({ maxBody: '64B' }, path, { maxBodyMemory: 64 })
    const body = `{"id":"${'a'.repeat(30)}"}`
    const first = post(body)
    await until(() => waiting.length === 1)
    expect(await post(body)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      json: { code: 'HG_INTAKE_BUSY' },
    })
    expect(outcomes).toMatchObject([{ kind: 'unavailable', error: { code: 'HG_INTAKE_BUSY' } }])
    waiting[0]?.()
    expect((await first).status).toBe(200)
  })

  it('counts the bytes of an event that is in flight after its response', async () => {
    const { path, waiting } = heldPath()
    const { post, listener, outcomes } = await startWebhook({ responseTimeout: '20ms' }, path)
    expect((await post('{"id":"a"}')).json).toMatchObject({ code: 'HG_INTAKE_TIMEOUT' })
    expect(listener.usage().bodyBytes).toBe(10)
    waiting[0]?.()
    await until(() => outcomes.length === 1)
    await until(() => listener.usage().bodyBytes === 0)
  })

  it('counts the inflated bytes of a body, and refuses it if there is no room', async () => {
    const { path, waiting } = heldPath()
    const { post, listener } = await startWebhook({ encodings: ['gzip'], maxBody: '10KiB' }, path, {
      maxBodyMemory: 16 * 1024,
    })
    const body = Buffer.from(`{"id":"a","x":"${'x'.repeat(9_000)}"}`)
    const sent = gzipSync(body)
    const first = post(sent, { 'content-encoding': 'gzip' })
    await until(() => waiting.length === 1)
    expect(listener.usage().bodyBytes).toBe(body.length + sent.length)
    expect(await post(sent, { 'content-encoding': 'gzip' })).toMatchObject({
      status: 503,
      json: { code: 'HG_INTAKE_BUSY' },
    })
    waiting[0]?.()
    expect((await first).status).toBe(200)
    expect(listener.usage().bodyBytes).toBe(0)
  })
})

describe('http-webhook: gzip', () => {
  const gzip = { 'content-encoding': 'gzip' }
  const encodings = ['identity', 'gzip']

  it('treats an inflated event as one that was sent without compression', async () => {
    const { post, events } = await startWebhook({ encodings })
    const body = '{ "id": "a", "n": 1.0 }'
    expect((await post(gzipSync(body), gzip)).status).toBe(200)
    expect((await post(body)).status).toBe(200)
    expect(events.map((event) => event.body.bytes.toString())).toEqual([body, body])
  })

  it('responds 413 to a bomb', async () => {
    const { post, outcomes, events } = await startWebhook({ encodings, maxBody: '64KiB' })
    const bomb = gzipSync(Buffer.alloc(30 * 1024 * 1024, 0x20))
    expect(bomb.length).toBeLessThan(64 * 1024)
    expect(await post(bomb, gzip)).toMatchObject({ status: 413, json: { code: 'HG_INTAKE_TOO_LARGE' } })
    expect(outcomes).toHaveLength(1)
    expect(events).toEqual([])
  })

  it.each([
    ['cut short', gzipSync('{"id":"a"}').subarray(0, -4)],
    ['not gzip at all', Buffer.from('{"id":"a"}')],
    ['empty', Buffer.alloc(0)],
  ])('answers 400 to a body that is %s', async (_what, body) => {
    const { post } = await startWebhook({ encodings })
    expect(await post(body, gzip)).toMatchObject({ status: 400, json: { code: 'HG_INTAKE_BAD_GZIP' } })
  })

  it('checks the signature of the bytes as they were sent, before it inflates them', async () => {
    const verify = { scheme: 'hmac', header: 'X-Sig', secrets: ['shared'] }
    const { post, events } = await startWebhook({ encodings, verify })
    const sign = (bytes: Buffer) => ({
      ...gzip,
      'x-sig': createHmac('sha256', 'shared').update(bytes).digest('hex'),
    })
    const sent = gzipSync('{"id":"a"}')
    expect((await post(sent, sign(sent))).status).toBe(200)
    expect((await post(sent, sign(Buffer.from('{"id":"a"}')))).status).toBe(401)
    expect((await post(Buffer.from('not gzip'), { ...gzip, 'x-sig': 'ab' })).status).toBe(401)
    expect(events).toHaveLength(1)
  })

  it('refuses other encodings before their body, and names the accepted ones', async () => {
    const { port } = await startWebhook({ encodings })
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { ...auth, 'content-encoding': 'br', 'content-length': 1000 }))
    expect(await connection.until((text) => text.endsWith('}'))).toMatch(
      /^HTTP\/1.1 415 [\s\S]*accept-encoding: identity, gzip\r\n/,
    )
  })
})

describe('http-webhook: stopping', () => {
  it('refuses new events, waits for those in flight, then releases the path', async () => {
    const { path, waiting } = heldPath()
    const { source, post, port, outcomes } = await startWebhook({}, path)
    const first = post('{"id":"a"}')
    await until(() => waiting.length === 1)
    const second = post('{"id":"a2"}')
    await until(() => waiting.length === 2)
    let stopped = false
    const stop = source.stop().then(() => {
      stopped = true
    })
    const late = await rawConnection(port)
    late.send(rawRequest('POST', '/in', { ...auth, 'content-length': 10 }, '{"id":"b"}'))
    expect(await late.closed()).toMatch(
      /^HTTP\/1.1 503 [\s\S]*connection: close\r\n[\s\S]*HG_INTAKE_STOPPING/i,
    )
    waiting[0]?.()
    expect((await first).status).toBe(200)
    expect(stopped).toBe(false)
    waiting[1]?.()
    expect((await second).status).toBe(200)
    await stop
    expect((await post('{"id":"c"}')).status).toBe(404)
    expect(outcomes.map(({ kind }) => kind)).toEqual(['unavailable', 'delivered', 'delivered'])
    await source.stop()
  })

  it('refuses an event whose body was still arriving', async () => {
    const { source, port, events } = await startWebhook()
    const slow = await rawConnection(port)
    slow.send(rawRequest('POST', '/in', { ...auth, expect: '100-continue', 'content-length': 10 }))
    await slow.until((text) => text.includes('100 Continue'))
    await source.stop()
    slow.send('{"id":"a"}')
    expect(await slow.closed()).toContain('HG_INTAKE_STOPPING')
    expect(events).toEqual([])
  })
})
