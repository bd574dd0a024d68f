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
    ],
    differsAt: '/0/eventId',
  },
  settings: {
    eventId: 'digest',
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
  retries: 'HubSpot delivers again up to ten times in 24 hours, but not after a 4xx other than 429.',
  notes: [
    'A request brings a batch, which is one event here. It counts attempts in the body, so a redelivery is a second record.',
    'Give HubSpot a URL without a query: it decodes some characters of the URL before it signs.',
  ],
}
