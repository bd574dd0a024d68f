import type { Sender } from './sender.js'

export const genesys: Sender = {
  name: 'genesys',
  title: 'Genesys Cloud',
  documentation: 'https://developer.genesys.cloud/notificationsalerts/webhooks/',
  event: {
    body: {
      topicName: 'v2.routing.queues.conversations',
      version: '2',
      eventBody: { queueId: '6ae3e5b2', mediaType: 'VOICE' },
    },
  },
  settings: {
    eventId: '/id',
    responseTimeout: '9s',
    verify: { scheme: 'hmac', header: 'X-Hub-Signature-256', prefix: 'sha256=', encoding: 'base64' },
  },
  secrets: ['/verify/secrets'],
  secret: 'The secret of the webhook integration.',
  timeLimit: '10s',
  notes: ['Genesys Cloud tries for 85 seconds in all.'],
}
