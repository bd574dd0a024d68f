import { expect, onTestFinished, test } from 'vitest'
import { type Cxone, type CxoneOptions, periodicFaults, startCxone } from '../../src/sandbox/cxone.js'

const credentials = { clientId: 'id', clientSecret: 'secret' }

async function start(options: Partial<CxoneOptions> = {}): Promise<Cxone> {
  const cxone = await startCxone({ ...credentials, ...options })
  onTestFinished(() => cxone.close())
  return cxone
}

const askToken = (cxone: Cxone, form: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${cxone.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form), headers })

const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })
const inBody = { client_id: 'id', client_secret: 'secret' }

async function token(cxone: Cxone): Promise<string> {
  const response = await askToken(cxone, { grant_type: 'client_credentials', ...inBody })
  return ((await response.json()) as { access_token: string }).access_token
}

const acknowledge = (cxone: Cxone, id: string, bearer: string) =>
  fetch(`${cxone.url}/api/v2/data/actions/${encodeURIComponent(id)}/acknowledge`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}` },
  })

test('a token is issued to the client, whether it proves itself in the header or in the form', async () => {
  const cxone = await start({ tokenLifetime: 7 })
  const form = { grant_type: 'client_credentials', scope: 'a b' }

  for (const response of [
    await askToken(cxone, form, basic('id', 'secret')),
    await askToken(cxone, { ...form, ...inBody }),
  ]) {
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      access_token: expect.stringMatching(/^\S{20,}$/),
      token_type: 'Bearer',
      expires_in: 7,
      scope: 'a b',
    })
  }
  expect(cxone.tokensIssued).toBe(2)
})

test.each([
  [
    'a wrong secret in the header',
    { grant_type: 'client_credentials' },
    basic('id', 'wrong'),
    401,
    'invalid_client',
  ],
  [
    'a wrong secret in the form',
    { grant_type: 'client_credentials', ...inBody, client_secret: 'x' },
    {},
    401,
    'invalid_client',
  ],
  ['no client at all', { grant_type: 'client_credentials' }, {}, 401, 'invalid_client'],
  ['no grant', inBody, {}, 400, 'invalid_request'],
  ['an unknown grant', { grant_type: 'magic', ...inBody }, {}, 400, 'unsupported_grant_type'],
  [
    'a wrong access key',
    { grant_type: 'password', username: 'k', password: 'x', ...inBody },
    {},
    400,
    'invalid_grant',
  ],
])('no token is issued for %s', async (_case, form, headers, status, error) => {
  const cxone = await start({ accessKey: { id: 'k', secret: 's' } })

  const response = await askToken(
    cxone,
    form as unknown as Record<string, string>,
    headers as Record<string, string>,
  )

  expect(response.status).toBe(status)
  expect(await response.json()).toEqual({ error })
  expect(cxone).toMatchObject({ tokenRequests: 1, tokensIssued: 0 })
})

test('an access key gets a token by the password grant', async () => {
  const cxone = await start({ accessKey: { id: 'k', secret: 's' } })
  const response = await askToken(cxone, { grant_type: 'password', username: 'k', password: 's', ...inBody })
  expect(response.status).toBe(200)
})

test('the first acknowledgement of an id is answered 200, every other one 409', async () => {
  const cxone = await start()
  const bearer = await token(cxone)

  const statuses = []
  for (const id of ['a/1', 'a/1', 'b', 'a/1']) statuses.push((await acknowledge(cxone, id, bearer)).status)

  expect(statuses).toEqual([200, 409, 200, 409])
  expect(Object.fromEntries(cxone.acknowledged)).toEqual({ 'a/1': 3, b: 1 })
})

test('a token that is unknown, revoked or expired is answered 401, and nothing is acknowledged', async () => {
  const cxone = await start({ tokenLifetime: 0.001 })
  const expired = await token(cxone)
  await expect.poll(async () => (await acknowledge(cxone, 'a', expired)).status).toBe(401)
  const lasting = await start({ tokenLifetime: 60 })
  const revoked = await token(lasting)
  lasting.revokeTokens()

  expect((await acknowledge(lasting, 'b', 'unknown')).status).toBe(401)
  expect((await acknowledge(lasting, 'b', revoked)).status).toBe(401)
  expect(lasting.acknowledged.has('b')).toBe(false)
})

test('the program that started it is told of every acknowledgement with a valid token', async () => {
  const told: string[] = []
  const cxone = await start({ onAcknowledged: (id) => told.push(id) })
  const bearer = await token(cxone)
  await acknowledge(cxone, 'a/1', bearer)
  await acknowledge(cxone, 'b', 'no token')
  await acknowledge(cxone, 'a/1', bearer)
  expect(told).toEqual(['a/1', 'a/1'])
})

test('scripted faults come in order, then the course is normal again', async () => {
  const cxone = await start()
  const bearer = await token(cxone)
  cxone.script('acknowledge', [{ status: 503, headers: { 'retry-after': '9' } }, undefined, 'reset'])

  const first = await acknowledge(cxone, 'a', bearer)
  expect([first.status, first.headers.get('retry-after')]).toEqual([503, '9'])
  expect((await acknowledge(cxone, 'a', bearer)).status).toBe(200)
  await expect(acknowledge(cxone, 'a', bearer)).rejects.toThrow()
  expect((await acknowledge(cxone, 'a', bearer)).status).toBe(409)
})

test('now and then, a request is throttled or finds no service', async () => {
  const cxone = await start({ faults: periodicFaults({ throttled: 5, unavailable: 3 }) })
  const bearer = await token(cxone)

  const responses = []
  for (let n = 1; n <= 15; n++) responses.push(await acknowledge(cxone, `a-${n}`, bearer))

  expect(responses.map(({ status }) => status)).toEqual([
    200, 200, 503, 200, 429, 503, 200, 200, 503, 429, 200, 503, 200, 200, 429,
  ])
  expect(responses[4]?.headers.get('retry-after')).toBe('1')
})

test('another process can ask what was counted', async () => {
  const cxone = await start({ faults: [{ status: 503 }] })
  const bearer = await token(cxone)
  await acknowledge(cxone, 'a', bearer)
  await acknowledge(cxone, 'a', bearer)

  const response = await fetch(`${cxone.url}/simulator/report`)

  expect(await response.json()).toEqual({
    acknowledged: { a: 1 },
    responses: { '200': 1, '503': 1 },
    tokenRequests: 1,
    tokensIssued: 1,
  })
})

test('other paths and methods are refused', async () => {
  const cxone = await start()
  expect((await fetch(`${cxone.url}/elsewhere`)).status).toBe(404)
  const wrongMethod = await fetch(`${cxone.url}/oauth/token`)
  expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'POST'])
})

test('it closes at once, whatever is under way', async () => {
  const cxone = await startCxone(credentials)
  const bearer = await token(cxone)
  cxone.script('acknowledge', ['hang'])
  const unanswered = acknowledge(cxone, 'a', bearer)
  await expect.poll(() => cxone.responses.get('hang')).toBe(1)

  await cxone.close()

  await expect(unanswered).rejects.toThrow()
})
