import type { Sender } from './sender.js'

export const sendgrid: Sender = {
  name: 'sendgrid',
  title: 'Twilio SendGrid event webhook',
  documentation:
    'https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features',
  event: {
    body: [
      {
        email: 'ada@example.com',
        event: 'delivered',
        timestamp: 1_769_860_800,
        sg_message_id: '14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0',
      },
      {
        email: 'ada@example.com',
        event: 'open',
        timestamp: 1_769_860_860,
        sg_message_id: '14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0',
      },
    ],
    differsAt: '/sg_event_id',
  },
  settings: {
    eventId: 'digest',
    split: { at: '' },
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
  retries:
    'SendGrid delivers again after any other status than 2xx, at growing intervals, for up to 24 hours after the event.',
  retriesAt: [
    'https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook#retry-logic',
  ],
  notes: [
    'SendGrid does not document whether a redelivery has a time of its own. If redeliveries are refused because they are too old, set "verify": {"timestamp": {"tolerance": "25h"}}.',
    'A request brings a batch; each of its items is an event here.',
    'Most events have an sg_event_id, but SendGrid does not promise one, and an event without its id would be refused: so the digest identifies them. If all of yours have it, use "eventId": "/sg_event_id".',
  ],
}
