import type { Sender } from './sender.js'

export const genesys: Sender = {
  name: 'genesys',
  title: 'Genesys Cloud (Open Messaging)',
  documentation: 'https://developer.genesys.cloud/commdigital/digital/openmessaging/validate.html',
  event: {
    body: {
      channel: {
        platform: 'Open',
        type: 'Private',
        to: { id: 'ada@example.com', nickname: 'Ada' },
        time: '2026-01-31T12:00:00.000Z',
      },
      type: 'Text',
      text: 'How can I help you?',
      direction: 'Outbound',
    },
  },
  settings: {
    eventId: '/id',
    responseTimeout: '9s',
    verify: { scheme: 'hmac', header: 'X-Hub-Signature-256', prefix: 'sha256=', encoding: 'base64' },
  },
  secrets: ['/verify/secrets'],
  secret:
    'The "Outbound Notification Webhook Signature Secret Token" of the integration, a text of your own.',
  timeLimit: '10s',
  retries:
    'Genesys Cloud delivers again after a time-out, 429 and 5xx: five times, each 5 seconds after the response. The last attempt is 25 seconds after the first if 503 comes at once, and ends after 85 seconds if each one times out; then it gives up.',
  retriesAt: ['https://developer.genesys.cloud/commdigital/digital/openmessaging/validate.html'],
  notes: [],
}
