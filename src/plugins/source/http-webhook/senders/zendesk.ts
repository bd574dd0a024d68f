import type { Sender } from './sender.js'

export const zendesk: Sender = {
  name: 'zendesk',
  title: 'Zendesk',
  documentation: 'https://developer.zendesk.com/documentation/webhooks/verifying/',
  event: {
    body: {
      type: 'zen:event-type:ticket.created',
      subject: 'zen:ticket:13',
      time: '2026-01-31T12:00:00Z',
      detail: { id: '13', subject: 'Help, I need somebody', priority: 'NORMAL', status: 'OPEN' },
    },
  },
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
  retries:
    'Zendesk delivers again after a time-out, after 409, and after 429 and 503 with a Retry-After below 60 seconds: that of Headgate is 5 seconds, or 30 while the pipeline is paused. It does not after other statuses. How often it tries is not stated here: see its page. If 70 % of the requests of five minutes fail, or more than 1,000, it stops deliveries for a while.',
  retriesAt: ['https://developer.zendesk.com/api-reference/webhooks/introduction'],
  notes: [],
}
