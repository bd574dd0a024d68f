import type { Sender } from './sender.js'

export const sendgrid: Sender = {
  name: 'sendgrid',
  title: 'Twilio SendGrid event webhook',
  documentation:
    'https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features',
  settings: {
    eventId: 'digest',
    verify: {
      scheme: 'ecdsa-p256',
      header: 'X-Twilio-Email-Event-Webhook-Signature',
      encoding: 'base64',
      signed: '{timestamp}{body}',
      timestamp: { header: 'X-Twilio-Email-Event-Webhook-Timestamp' },
    },
  },
  secrets: ['/verify/publicKeys'],
  secret: 'The verification key of the signed event webhook: a public key, and no secret.',
  notes: ['A request brings a batch, which is one event here.', 'SendGrid tries for 24 hours.'],
}
