import { expect, test } from 'vitest'
import { startCxone } from '../../../../src/sandbox/cxone.js'
import { rawUpstream } from './raw-upstream.js'
import { always, createAck, credentials, movableClock, startAck } from './setup.js'

const accessKey = { id: 'key/id', secret: 'key secret&=' }

test.each(['basic', 'basic-form-encoded', 'body'])(
  'the client proves itself by %s',
  async (clientAuthentication) => {
    const { cxone, ack } = await startAck({ oauth: { clientAuthentication } })

    expect(await ack.acknowledge({ id: 'a-1' })).toEqual({ kind: 'acknowledged' })
    expect(cxone.tokensIssued).toBe(1)
  },
)

test.each(['basic', 'body'])(
  'an access key is used by the password grant (client by %s)',
  async (clientAuthentication) => {
    const grant = { type: 'password', username: accessKey.id, password: accessKey.secret }
    const { ack } = await startAck({ oauth: { grant, clientAuthentication } }, { accessKey })

    expect(await ack.acknowledge({ id: 'a-1' })).toEqual({ kind: 'acknowledged' })
  },
)

test('by default id and secret are in Basic as they are, or form-encoded where that is asked for', async () => {
  const headers: (string | undefined)[] = []
  for (const clientAuthentication of ['basic', 'basic-form-encoded']) {
    const { url, requests } = await rawUpstream(() => undefined)
    const { ack } = createAck(url, {
      clientId: 'App@Vendor',
      clientSecret: '123+/=',
      oauth: { clientAuthentication },
    })
    await ack.start?.()
    await expect.poll(() => requests).toHaveLength(1)
    headers.push(/authorization: Basic (\S+)/.exec(requests[0] ?? '')?.[1])
  }
  expect(headers.map((text) => Buffer.from(text ?? '', 'base64').toString())).toEqual([
    'App@Vendor:123+/=',
    'App%40Vendor:123%2B%2F%3D',
  ])
})

test('an access key goes to its endpoint as JSON, without anything else', async () => {
  const key = { clientId: accessKey.id, clientSecret: accessKey.secret }
  const { cxone, ack } = await startAck({ ...key, oauth: { grant: { type: 'access_key' } } }, { accessKey })
  expect(await ack.acknowledge({ id: 'a-1' })).toEqual({ kind: 'acknowledged' })
  expect(cxone.tokensIssued).toBe(1)

  const { url, requests } = await rawUpstream(() => undefined)
  await createAck(url, { ...key, oauth: { grant: { type: 'access_key' } } }).ack.start?.()
  await expect.poll(() => requests).toHaveLength(1)
  expect(requests[0]).toContain('content-type: application/json')
  expect(requests[0]).not.toContain('authorization')
})

test('wrong credentials fail the attempt, and the error has the status but not the secret', async () => {
  const { ack, context } = await startAck({ clientSecret: 'wrong-secret' })

  const attempt = await ack.acknowledge({ id: 'a-1' })

  expect(attempt).toMatchObject({
    kind: 'retry',
    error: { code: 'HG_ACK_TOKEN', message: 'The token endpoint answered 401 (invalid_client).' },
  })
  expect(context.lines).toEqual([
    {
      level: 'warn',
      fields: { code: 'HG_ACK_TOKEN' },
      message: 'The token endpoint answered 401 (invalid_client).',
    },
  ])
})

test('wrong credentials are in the log before the first event', async () => {
  const { ack, context } = await startAck({ clientSecret: 'wrong-secret' })

  await ack.start?.()

  await expect.poll(() => context.lines).toMatchObject([{ level: 'warn', fields: { code: 'HG_ACK_TOKEN' } }])
})

test('a token endpoint that is not there fails the attempt, and the error does not tell its address', async () => {
  const cxone = await startCxone(credentials)
  await cxone.close()
  const { ack } = createAck(cxone.url)

  expect(await ack.acknowledge({ id: 'a-1' })).toMatchObject({
    kind: 'retry',
    error: { code: 'HG_ACK_TOKEN', message: 'The token endpoint did not respond: ECONNREFUSED.' },
  })
})

test('one token serves many events, and the metric says when it expires', async () => {
  const { cxone, ack, context } = await startAck()
  expect(context.values.get('oauth_token_expiry_timestamp_seconds')).toBe(0)
  const before = Date.now() / 1000

  await Promise.all(Array.from({ length: 50 }, (_, n) => ack.acknowledge({ id: `a-${n}` })))

  expect(cxone.tokenRequests).toBe(1)
  const expiry = context.values.get('oauth_token_expiry_timestamp_seconds')
  expect(expiry).toBeGreaterThan(before + 3590)
  expect(expiry).toBeLessThanOrEqual(Date.now() / 1000 + 3600)
})

test('a token that expires in the middle of a run is replaced without a refused request', async () => {
  const clock = movableClock()
  const { cxone, ack } = await startAck({}, { tokenLifetime: 60 })

  for (let n = 0; n < 30; n++) {
    expect(await ack.acknowledge({ id: `a-${n}` })).toEqual({ kind: 'acknowledged' })
    clock.advance(10_000)
  }

  expect(cxone.responses).toEqual(new Map([['200', 30]]))
  expect(cxone.tokensIssued).toBeGreaterThanOrEqual(5)
})

test('a revoked token under 100 concurrent attempts costs one new token and one repetition each', async () => {
  const { cxone, ack } = await startAck()
  await ack.acknowledge({ id: 'first' })
  cxone.revokeTokens()

  const attempts = await Promise.all(Array.from({ length: 100 }, (_, n) => ack.acknowledge({ id: `a-${n}` })))

  expect(attempts).toEqual(Array(100).fill({ kind: 'acknowledged' }))
  expect(cxone.tokenRequests).toBe(2)
  expect(cxone.responses).toEqual(
    new Map([
      ['200', 101],
      ['401', 100],
    ]),
  )
})

test('401 for the fresh token too ends the attempt, to be tried again', async () => {
  const { cxone, ack } = await startAck()
  cxone.script('acknowledge', [{ status: 401 }, { status: 401 }])

  expect(await ack.acknowledge({ id: 'a-1' })).toMatchObject({
    kind: 'retry',
    error: { code: 'HG_ACK_RETRY', message: expect.stringContaining('failed with status 401') },
  })
  expect(cxone.responses).toEqual(new Map([['401', 2]]))
})

test('an API that refuses every token does not cause a storm of token requests', async () => {
  const { cxone, ack } = await startAck()
  cxone.script('acknowledge', always({ status: 401 }))

  for (let n = 0; n < 50; n++)
    expect(await ack.acknowledge({ id: `a-${n}` })).toMatchObject({ kind: 'retry' })

  expect(cxone.tokenRequests).toBe(2)
})

test('while the token endpoint is down, the old token serves and the endpoint is left alone', async () => {
  const clock = movableClock()
  const { cxone, ack, context } = await startAck({}, { tokenLifetime: 1000 })
  await ack.acknowledge({ id: 'first' })
  cxone.script('token', always({ status: 503 }))
  clock.advance(900_000)

  const attempts = await Promise.all(Array.from({ length: 50 }, (_, n) => ack.acknowledge({ id: `a-${n}` })))
  await expect.poll(() => context.lines.length).toBe(1)
  attempts.push(await ack.acknowledge({ id: 'last' }))

  expect(attempts).toEqual(Array(51).fill({ kind: 'acknowledged' }))
  expect(cxone.tokenRequests).toBe(2)
})

test('when the old token has expired too, attempts fail at once until the pause is over', async () => {
  const clock = movableClock()
  const { cxone, ack } = await startAck({}, { tokenLifetime: 1000 })
  await ack.acknowledge({ id: 'first' })
  cxone.script('token', [{ status: 503, headers: { 'retry-after': '20' } }])
  clock.advance(1_000_000)

  for (let n = 0; n < 20; n++) {
    expect(await ack.acknowledge({ id: 'a-1' })).toMatchObject({
      kind: 'retry',
      error: { code: 'HG_ACK_TOKEN', message: 'The token endpoint answered 503.' },
    })
  }
  expect(cxone.tokenRequests).toBe(2)

  clock.advance(20_000)
  expect(await ack.acknowledge({ id: 'a-1' })).toEqual({ kind: 'acknowledged' })
})

test.each([
  ['no JSON', 'access_token=x', 'without a usable access_token'],
  ['JSON that is no object', 'null', 'without a usable access_token'],
  ['no token', '{"token_type":"Bearer"}', 'without a usable access_token'],
  [
    'a token that would break out of its header',
    '{"access_token":"a\\r\\nx: y"}',
    'without a usable access_token',
  ],
  ['another type of token', '{"access_token":"secret-token","token_type":"mac"}', 'not a bearer token'],
  ['an endless answer', 'x'.repeat(100_000), 'UND_ERR_RES_EXCEEDED_MAX_SIZE'],
])('a token endpoint that answers with %s fails the attempt', async (_case, body, message) => {
  const { cxone, ack } = await startAck()
  cxone.script('token', [{ status: 200, body }])

  const attempt = await ack.acknowledge({ id: 'a-1' })

  expect(attempt).toMatchObject({
    kind: 'retry',
    error: { code: 'HG_ACK_TOKEN', message: expect.stringContaining(message) },
  })
  expect(attempt.kind === 'retry' && attempt.error.message).not.toContain('secret-token')
})

test('a token endpoint that echoes the secret as its error code does not get it into our message', async () => {
  const { cxone, ack } = await startAck()
  cxone.script('token', [{ status: 400, body: JSON.stringify({ error: credentials.clientSecret }) }])

  expect(await ack.acknowledge({ id: 'a-1' })).toMatchObject({
    error: { message: 'The token endpoint answered 400.' },
  })
})

test.each([
  ['a lower-case type', '{"access_token":"opaque~token","token_type":"bearer","expires_in":60}'],
  ['no type', '{"access_token":"opaque~token","expires_in":60}'],
  ['the lifetime as text', '{"access_token":"opaque~token","token_type":"BEARER","expires_in":"60"}'],
])('%s in the response of the token endpoint is understood', async (_case, body) => {
  const { cxone, ack, context } = await startAck()
  cxone.script('token', [{ status: 200, body }])
  cxone.script('acknowledge', [{ status: 200 }])

  expect(await ack.acknowledge({ id: 'a-1' })).toEqual({ kind: 'acknowledged' })

  expect(cxone.lastRequest?.headers.authorization).toBe('Bearer opaque~token')
  expect(context.values.get('oauth_token_expiry_timestamp_seconds')).toBeLessThanOrEqual(
    Date.now() / 1000 + 60,
  )
})
