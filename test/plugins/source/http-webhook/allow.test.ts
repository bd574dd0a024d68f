import { describe, expect, it } from 'vitest'
import { httpWebhook } from '../../../../src/plugins/source/http-webhook/index.js'
import { checkContext, fillDefaults } from '../../../helpers/context.js'
import { rawConnection, rawRequest } from '../../../helpers/raw-connection.js'
import { startWebhook } from './webhook.js'

const trustedProxies = ['127.0.0.1']
const allow = ['203.0.113.0/24', '2001:db8::/32', '::ffff:198.51.100.0/120']

describe('http-webhook: allowed networks', () => {
  it.each([
    ['203.0.113.9', 200],
    ['::ffff:203.0.113.9', 200],
    ['198.51.100.1', 200],
    ['2001:db8:1::1', 200],
    ['203.0.114.9', 403],
    ['2001:db9::1', 403],
    ['127.0.0.1', 403],
    ['nonsense', 403],
  ])('a request from %s gets %i', async (address, status) => {
    const { post, outcomes } = await startWebhook({ allow, trustedProxies })
    const response = await post('{"id":"a"}', { 'x-forwarded-for': address })
    expect(response.status).toBe(status)
    if (status === 403) {
      expect(response.json).toMatchObject({ code: 'HG_INTAKE_NOT_ALLOWED' })
      expect(outcomes).toMatchObject([{ kind: 'rejected', error: { code: 'HG_INTAKE_NOT_ALLOWED' } }])
    }
  })

  it('the sender is told its address, or that it is unknown', async () => {
    const { post } = await startWebhook({ allow, trustedProxies })
    const told = async (address: string) => (await post('{}', { 'x-forwarded-for': address })).json.detail
    expect(await told('192.0.2.1')).toContain('192.0.2.1')
    expect(await told('unknown')).toContain('is unknown')
  })

  it('nothing else of such a request is checked or read: no token, no handshake, no body', async () => {
    const { port, outcomes, requests } = await startWebhook({
      allow,
      handshake: { form: 'query', parameter: 'challenge', verified: false },
    })
    const connection = await rawConnection(port)
    connection.send(rawRequest('POST', '/in', { 'content-length': 900_000 }))
    expect(await connection.until((text) => text.endsWith('}'))).toMatch(/^HTTP\/1.1 403 /)
    const handshake = await rawConnection(port)
    handshake.send(rawRequest('GET', '/in?challenge=abc', {}))
    expect(await handshake.until((text) => text.endsWith('}'))).toMatch(/^HTTP\/1.1 403 /)
    expect(outcomes.map(({ kind }) => kind)).toEqual(['rejected', 'rejected'])
    expect(requests.map((request) => request?.remoteAddress)).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  it('dry runs have no connection, and do not look at networks', () => {
    const config = fillDefaults(httpWebhook, {
      path: '/in',
      eventId: '/id',
      verify: { scheme: 'none' },
      allow: ['10.0.0.0/40'],
    })
    expect(httpWebhook.detached?.(config)).not.toHaveProperty('allow')
    expect([...(httpWebhook.check?.(config, checkContext()) ?? [])]).toMatchObject([
      { at: '/allow/0', code: 'HG_CONFIG_VALUE' },
    ])
  })
})
