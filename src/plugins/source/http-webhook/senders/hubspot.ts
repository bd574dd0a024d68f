import type { Sender } from './sender.js'

export const hubspot: Sender = {
  name: 'hubspot',
  title: 'HubSpot',
  documentation:
    'https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation',
  event: {
    body: [
      {
        subscriptionType: 'contact.creation',
        portalId: 62_515,
        objectId: 123,
        occurredAt: 1_769_860_800_000,
        attemptNumber: 0,
      },
      {
        subscriptionType: 'contact.propertyChange',
        portalId: 62_515,
        objectId: 123,
        propertyName: 'email',
        propertyValue: 'ada@example.com',
        occurredAt: 1_769_860_800_000,
        attemptNumber: 0,
      },
    ],
    differsAt: '/eventId',
  },
  settings: {
    eventId: 'digest',
    split: { at: '' },
    responseTimeout: '4s',
    verify: {
      scheme: 'hmac',
      header: 'X-HubSpot-Signature-v3',
      encoding: 'base64',
      signed: '{method}{url}{body}{timestamp}',
      timestamp: { header: 'X-HubSpot-Request-Timestamp', unit: 'milliseconds' },
    },
  },
  secrets: ['/verify/secrets'],
  secret: 'The client secret of the app.',
  timeLimit: '5s',
  needs: { publicUrl: 'HubSpot signs the URL that you gave it.' },
  retries:
    'HubSpot delivers a batch again after a time-out, 4xx and 5xx: up to ten times within the next 24 hours, at varying intervals.',
  retriesAt: ['https://developers.hubspot.com/docs/api/webhooks#retries'],
  notes: [
    'A request brings a batch of up to 100 items; each is an event here.',
    'HubSpot counts attempts in the item, so a redelivery is a second record. It does not promise that an eventId is unique. If yours have all of them, "eventId": ["/subscriptionId", "/eventId", "/occurredAt"] with "redelivery": {"by": "id"} in the pipeline recognises redeliveries.',
    'Give HubSpot a URL without a query: it decodes some characters of the URL before it signs.',
  ],
}
