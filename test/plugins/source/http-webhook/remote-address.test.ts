import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Connection } from '../../../../src/http/connection.js'
import { httpWebhook } from '../../../../src/plugins/source/http-webhook/index.js'
import { checkContext, fillDefaults } from '../../../helpers/context.js'
import { startWebhook } from './webhook.js'

const trustedProxies = ['127.0.0.0/8', '10.0.0.0/8']

const settings = (more: object) =>
  fillDefaults(httpWebhook, { path: '/in', eventId: '/id', verify: { scheme: 'none' }, ...more })

describe('http-webhook: the address of the sender', () => {
  it('is that of the connection, whatever it says of itself', async () => {
    const { post, requests, listener } = await startWebhook()
    await post('{"id":"a"}', { 'x-forwarded-for': '203.0.113.9' })
    await post('no JSON', { 'x-forwarded-for': '203.0.113.9' })
    expect(requests.map((request) => request?.remoteAddress)).toEqual(['127.0.0.1', '127.0.0.1'])
    expect(listener.refused.after(0)[0]?.refused).toMatchObject({
      remoteAddress: '127.0.0.1',
      headers: { 'x-forwarded-for': '203.0.113.9' },
    })
  })

  it('is the one that a trusted proxy tells', async () => {
    const { post, requests, listener } = await startWebhook({ trustedProxies })
    await post('{"id":"a"}', { 'x-forwarded-for': '192.0.2.1, 203.0.113.9, 10.1.1.1' })
    await post('{"id":"b"}', { forwarded: 'for="[2001:db8::1]:80";proto=https' })
    await post('{"id":"c"}', { forwarded: 'for=unknown' })
    expect(requests.map((request) => request?.remoteAddress)).toEqual([
      '203.0.113.9',
      '2001:db8::1',
      undefined,
    ])
    await post('{"id":"d"}', { 'x-forwarded-for': '203.0.113.9', authorization: 'Bearer wrong' })
    expect(listener.refused.after(0)[0]?.refused).toMatchObject({ remoteAddress: '203.0.113.9', status: 401 })
  })

  it('is one of IPv4 if IPv6 only stands for it', () => {
    const socket = { remoteAddress: '::ffff:192.0.2.1' } as Socket
    expect(Connection.of(socket).remoteAddress).toBe('192.0.2.1')
  })

  it('has a problem for each network that is none', () => {
    const config = settings({ trustedProxies: ['10.0.0.0/8', '10.0.0.0/33', '::1/129', '1.2.3'] })
    expect(
      [...(httpWebhook.check?.(config, checkContext()) ?? [])].map(({ at, code }) => [at, code]),
    ).toEqual([
      ['/trustedProxies/1', 'HG_CONFIG_VALUE'],
      ['/trustedProxies/2', 'HG_CONFIG_VALUE'],
      ['/trustedProxies/3', 'HG_CONFIG_VALUE'],
    ])
    expect(() => settings({ trustedProxies: ['proxy.internal'] })).toThrow('/trustedProxies/0')
  })

  it.each([
    ['0.0.0.0/0', true],
    ['::/0', true],
    ['128.0.0.0/1', true],
    ['10.0.0.0/8', false],
    ['fc00::/7', false],
    ['192.0.2.7', false],
  ])('warns of proxies in networks of strangers: %s %s', (network, warns) => {
    const context = { ...checkContext(), ensured: [], maxBody: undefined, redeliveryBy: 'id+bytes' as const }
    const found = [...(httpWebhook.lint?.(settings({ trustedProxies: [network] }), context) ?? [])]
    expect(found.map(({ at, name }) => `${name} ${at}`)).toEqual(
      warns ? ['trusts-strangers /trustedProxies/0'] : [],
    )
  })
})
