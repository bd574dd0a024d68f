import { expect, it } from 'vitest'
import { httpWebhook } from '../../../../src/plugins/source/http-webhook/index.js'
import { fillDefaults } from '../../../helpers/context.js'

const findings = (settings: { readonly eventId?: unknown; readonly verify: object }) => {
  const config = fillDefaults(httpWebhook, { path: '/', eventId: '/id', ...settings })
  const context = {
    files: {} as never,
    exposed: false,
    deadLetters: false,
    ensured: [],
    maxBody: undefined,
    redeliveryBy: 'id+bytes' as const,
  }
  return [...(httpWebhook.lint?.(config, context) ?? [])].map(({ at, name }) => `${name} ${at}`)
}
const hmac = { scheme: 'hmac', header: 'X-Signature', secrets: ['shared'] }
const secrets = ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']

it('warns if the event id is in a header that is not signed', () => {
  const header = 'header:X-Event-Id'
  expect(findings({ eventId: header, verify: hmac })).toEqual(['event-id-not-signed /eventId'])
  expect(findings({ eventId: header, verify: { ...hmac, signed: '{header:x-event-id}.{body}' } })).toEqual([])
  expect(findings({ verify: hmac })).toEqual([])
  expect(findings({ eventId: header, verify: { scheme: 'standard-webhooks', secrets } })).toEqual([
    'event-id-not-signed /eventId',
  ])
  expect(
    findings({ eventId: 'header:Webhook-Id', verify: { scheme: 'standard-webhooks', secrets } }),
  ).toEqual([])
})

it('warns if nothing separates two parts of the signed text', () => {
  const timestamp = { header: 'X-Time' }
  expect(findings({ verify: { ...hmac, timestamp, signed: '{timestamp}{body}' } })).toEqual([
    'signed-text-ambiguous /verify/signed',
  ])
  expect(findings({ verify: { ...hmac, timestamp, signed: '{timestamp}.{body}' } })).toEqual([])
})
