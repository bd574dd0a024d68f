import type { Sender } from './sender.js'

export const cxoneExpert: Sender = {
  name: 'cxone-expert',
  title: 'NICE CXone Expert',
  documentation:
    'https://expert-help.nice.com/Manage/Content_Maintenance/Subscriptions_and_Notifications/Webhooks/Webhook_integration_guide',
  event: {
    headers: { 'Content-Type': 'text/xml', 'X-Nexus-Event-Type': 'Page_Create' },
    body: { event: { page: { '@id': '42', title: 'How to reset a password' } } },
  },
  settings: {
    eventId: 'header:X-Nexus-Delivery-Id',
    responseTimeout: '900ms',
    body: { formats: ['xml', 'json'] },
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
  retries:
    'Expert delivers again after 5xx and time-outs, at growing intervals. For how long it does not document.',
  retriesAt: [
    'https://expert-help.nice.com/Manage/Content_Maintenance/Subscriptions_and_Notifications/Webhooks/Webhook_integration_guide',
  ],
  notes: [
    'Expert does not document whether a redelivery has a time of its own. If redeliveries are refused because they are too old, set "verify": {"timestamp": {"tolerance": "1d"}}.',
    'Webhooks are managed by the API of Expert. Deliveries can be paused during imports and exports.',
    'Expert sends XML: an element is a text or an object, an attribute a member with "@". Kafka gets the XML; with "body": {"value": "json"}, it gets JSON.',
    'JSON is for a converter between the two that signs as Expert does.',
  ],
}
