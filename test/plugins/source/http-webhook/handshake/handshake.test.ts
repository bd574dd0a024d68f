import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { httpWebhook } from '../../../../../src/plugins/source/http-webhook/index.js'
import { checkContext, fillDefaults } from '../../../../helpers/context.js'
import { startWebhook, TOKEN } from '../webhook.js'

const hmacOf = (text: string, secret: string) => createHmac('sha256', secret).update(text).digest('hex')
const answered = (form: string) => [{ kind: 'handshake', form }]

describe('a handshake by query', () => {
  const dropbox = { form: 'query', parameter: 'challenge', verified: false }

  it('answers the value as text that no browser runs', async () => {
    const { ask, outcomes, events } = await startWebhook({ handshake: dropbox })
    const response = await ask('GET', '?challenge=%3Cscript%3E')
    expect(response).toMatchObject({
      status: 200,
      text: '<script>',
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      },
    })
    expect(outcomes).toMatchObject(answered('query'))
    expect(events).toEqual([])
  })

  it('leaves events alone, and refuses other requests by its method', async () => {
    const { ask, post, outcomes } = await startWebhook({ handshake: dropbox })
    expect((await post('{"id":"a"}')).status).toBe(200)
    expect(await ask('GET', '?other=1')).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(await ask('DELETE', '?challenge=a')).toMatchObject({ status: 405 })
    expect(outcomes).toMatchObject([{ kind: 'delivered' }, { kind: 'rejected' }])
  })

  it.each(['?challenge=', '?challenge=a&challenge=b', `?challenge=${'a'.repeat(4097)}`])(
    'refuses %.40s',
    async (query) => {
      const { ask, outcomes } = await startWebhook({ handshake: dropbox })
      expect((await ask('GET', query)).status).toBeGreaterThanOrEqual(400)
      expect(outcomes).toMatchObject([{ kind: 'rejected' }])
    },
  )

  it('wants the token of the sender if there is one', async () => {
    const token = { parameter: 'hub.verify_token', values: ['mine'] }
    const { ask } = await startWebhook({ handshake: { ...dropbox, parameter: 'hub.challenge', token } })
    const challenge = '?hub.mode=subscribe&hub.challenge=1158201444'
    expect(await ask('GET', `${challenge}&hub.verify_token=mine`)).toMatchObject({
      status: 200,
      text: '1158201444',
    })
    for (const other of [
      '',
      '&hub.verify_token=',
      '&hub.verify_token=min',
      '&hub.verify_token=a&hub.verify_token=mine',
    ])
      expect((await ask('GET', challenge + other)).status).toBe(401)
  })

  it('wants the proof of an event, unless it is told otherwise', async () => {
    const { ask, outcomes } = await startWebhook({ handshake: { ...dropbox, verified: true } })
    expect((await ask('GET', '?challenge=a')).status).toBe(401)
    expect(await ask('GET', '?challenge=a', { authorization: `Bearer ${TOKEN}` })).toMatchObject({
      text: 'a',
    })
    expect(outcomes).toMatchObject([{ kind: 'rejected' }, { kind: 'handshake' }])
  })

  it('may come by POST beside events, with a body of another type', async () => {
    const graph = { ...dropbox, method: 'POST', parameter: 'validationToken' }
    const { ask, post } = await startWebhook({ handshake: graph })
    const asked = await ask('POST', '?validationToken=Validation%3A+a', { 'content-type': 'text/plain' })
    expect(asked).toMatchObject({ status: 200, text: 'Validation: a' })
    expect((await post('{"id":"a"}')).status).toBe(200)
  })
})

it('a handshake by header answers the value as JSON', async () => {
  const okta = {
    form: 'header',
    header: 'X-Okta-Verification-Challenge',
    member: 'verification',
    verified: false,
  }
  const { ask, outcomes } = await startWebhook({ handshake: okta })
  const response = await ask('GET', '', { 'x-okta-verification-challenge': 'abc"' })
  expect(response).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } })
  expect(JSON.parse(response.text)).toEqual({ verification: 'abc"' })
  expect((await ask('GET', '')).status).toBe(405)
  expect(outcomes).toMatchObject([{ kind: 'handshake', form: 'header' }, { kind: 'rejected' }])
})

describe('a handshake by body', () => {
  const NOW = 1_700_000_000
  beforeEach(() => void vi.useFakeTimers({ now: NOW * 1000, toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  const verify = {
    scheme: 'hmac',
    header: 'X-Zm-Signature',
    prefix: 'v0=',
    signed: 'v0:{timestamp}:{body}',
    timestamp: { header: 'X-Zm-Request-Timestamp' },
    secrets: ['old', 'new'],
  }
  const signed = (body: string, secret: string) => ({
    'x-zm-signature': `v0=${hmacOf(`v0:${NOW}:${body}`, secret)}`,
    'x-zm-request-timestamp': String(NOW),
  })
  const zoom = {
    form: 'body',
    when: { '/event': 'endpoint.url_validation' },
    value: '/payload/plainToken',
    member: 'plainToken',
    hmac: { member: 'encryptedToken' },
  }
  const asking = '{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}'

  it.each(['old', 'new'])('answers with the HMAC by the secret that signed it: %s', async (secret) => {
    const { post, outcomes, events } = await startWebhook({ verify, handshake: zoom })
    const response = await post(asking, signed(asking, secret))
    expect(response).toMatchObject({
      status: 200,
      json: {
        plainToken: 'qgg8vlvZRS6UYooatFL8Aw',
        encryptedToken: hmacOf('qgg8vlvZRS6UYooatFL8Aw', secret),
      },
    })
    expect(outcomes).toMatchObject(answered('body'))
    expect(events).toEqual([])
  })

  it('answers nobody who does not prove to be the sender', async () => {
    const { post } = await startWebhook({ verify, handshake: zoom })
    expect((await post(asking, signed(asking, 'forged'))).status).toBe(401)
    expect((await post(asking)).status).toBe(401)
  })

  it('answers as text without a member, takes other bodies for events, and refuses one without the value', async () => {
    const slack = { form: 'body', when: { '/type': 'url_verification' }, value: '/challenge' }
    const { ask, post, events } = await startWebhook({ handshake: slack })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }
    expect(await ask('POST', '', headers, '{"type":"url_verification","challenge":"3eZb"}')).toMatchObject({
      status: 200,
      text: '3eZb',
    })
    expect((await post('{"type":"event_callback","id":"a"}')).status).toBe(200)
    expect(events).toHaveLength(1)
    expect(await post('{"type":"url_verification","challenge":7}')).toMatchObject({
      status: 400,
      json: { code: 'HG_INTAKE_HANDSHAKE' },
    })
  })
})

describe('a handshake by OPTIONS', () => {
  const settings = { form: 'options', origins: ['eventgrid.azure.net'], verified: false }

  it('grants the origin and the rate that are allowed', async () => {
    const { ask, outcomes } = await startWebhook({ handshake: { ...settings, rate: 120 } })
    const headers = { 'webhook-request-origin': 'eventgrid.azure.net', 'webhook-request-rate': '1000' }
    expect(await ask('OPTIONS', '', headers)).toMatchObject({
      status: 200,
      headers: { 'webhook-allowed-origin': 'eventgrid.azure.net', 'webhook-allowed-rate': '120' },
    })
    expect(outcomes).toMatchObject(answered('options'))
    expect((await ask('OPTIONS', '', { 'webhook-request-origin': 'evil.example' })).status).toBe(401)
    expect((await ask('OPTIONS', '')).status).toBe(405)
  })

  it('grants any origin and rate, if told so', async () => {
    const { ask } = await startWebhook({ handshake: { ...settings, origins: ['*'] } })
    expect(await ask('OPTIONS', '', { 'webhook-request-origin': 'a.example' })).toMatchObject({
      headers: { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '*' },
    })
  })
})

describe('settings of a handshake', () => {
  const bearer = { scheme: 'bearer', tokens: ['t'] }
  const problems = (handshake: object, verify: object = bearer) => {
    const config = fillDefaults(httpWebhook, { path: '/in', eventId: '/id', verify, handshake })
    return [...(httpWebhook.check?.(config, checkContext()) ?? [])].map(({ at }) => at)
  }
  const body = { form: 'body', when: { '/a': 'b' }, value: '/c' }

  it('must fit the verification', () => {
    const field = { scheme: 'body-field', at: '/value/*/clientState', secrets: ['s'] }
    const query = { form: 'query', parameter: 'validationToken' }
    expect(problems(query, field)).toEqual(['/handshake'])
    expect(problems({ ...query, verified: false }, field)).toEqual([])
    expect(problems({ ...body, hmac: { member: 'x' }, member: 'y' })).toEqual(['/handshake/hmac'])
    const hmac = { scheme: 'hmac', header: 'X', secrets: ['s'] }
    expect(problems({ ...body, hmac: { member: 'x' } }, hmac)).toEqual(['/handshake/hmac'])
    expect(problems({ ...body, hmac: { member: 'x' }, member: 'y' }, hmac)).toEqual([])
  })

  it('must have a condition, so that not every event is a handshake', () => {
    expect(() => problems({ ...body, when: {} })).toThrow('/handshake/when')
  })
})
