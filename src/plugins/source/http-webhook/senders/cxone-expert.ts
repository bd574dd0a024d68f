import type { Sender } from './sender.js'

export const cxoneExpert: Sender = {
  name: 'cxone-expert',
  title: 'NICE CXone Expert',
  documentation: 'https://expert-help.nice.com/',
  event: {
    headers: { 'X-Nexus-Event-Type': 'Page_Create' },
    body: { page: { id: 42, title: 'How to reset a password' } },
  },
  settings: {
    eventId: 'header:X-Nexus-Delivery-Id',
    responseTimeout: '900ms',
    verify: {
      scheme: 'hmac',
      header: 'X-Nexus-Signature-256',
      prefix: 'sha256=',
      signed: '{timestamp}.{body}',
      timestamp: { header: 'X-Nexus-Timestamp' },
    },
  },
  secrets: ['/verify/secrets'],
  secret: 'The secret of the webhook.',
  timeLimit: '1s',
  notes: ['Expert sends XML, which is not accepted yet.'],
}
