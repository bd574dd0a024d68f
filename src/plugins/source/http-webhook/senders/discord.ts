import { EMPTY_RESPONSES, type Sender } from './sender.js'

export const discord: Sender = {
  name: 'discord',
  title: 'Discord webhook events',
  documentation: 'https://docs.discord.com/developers/events/webhook-events',
  event: {
    body: {
      version: 1,
      application_id: '1234560123453231555',
      type: 1,
      event: { type: 'APPLICATION_AUTHORIZED', data: { scopes: ['applications.commands'] } },
    },
    differsAt: '/event/data/user/id',
  },
  settings: {
    eventId: 'digest',
    responseTimeout: '2500ms',
    verify: {
      scheme: 'ed25519',
      header: 'X-Signature-Ed25519',
      signed: '{timestamp}{body}',
      timestamp: { header: 'X-Signature-Timestamp' },
    },
    handshake: { form: 'body', when: { '/type': 0 } },
    responses: EMPTY_RESPONSES,
  },
  secrets: ['/verify/publicKeys'],
  secret: 'The public key of the app, and no secret.',
  timeLimit: '3s',
  retries:
    'Discord delivers again for up to ten minutes. If too many requests fail, it stops, and sends an email.',
  retriesAt: ['https://docs.discord.com/developers/events/webhook-events'],
  successes: [204],
  notes: ['Discord sends requests with wrong signatures from time to time, and expects 401.'],
}
