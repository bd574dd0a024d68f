import type { Sender } from './sender.js'

export const zendesk: Sender = {
  name: 'zendesk',
  title: 'Zendesk',
  documentation: 'https://developer.zendesk.com/documentation/webhooks/verifying/',
  settings: {
    eventId: 'header:X-Zendesk-Webhook-Invocation-Id',
    responseTimeout: '9s',
    verify: {
      scheme: 'hmac',
      header: 'X-Zendesk-Webhook-Signature',
      encoding: 'base64',
      signed: '{timestamp}{body}',
      timestamp: { header: 'X-Zendesk-Webhook-Signature-Timestamp', unit: 'rfc3339' },
    },
  },
  secrets: ['/verify/secrets'],
  secret: 'The signing secret of the webhook.',
  timeLimit: '10s',
  notes: ['After too many failures, a circuit breaker of Zendesk stops deliveries for a while.'],
}
