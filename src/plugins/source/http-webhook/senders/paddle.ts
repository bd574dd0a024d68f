import type { Sender } from './sender.js'

export const paddle: Sender = {
  name: 'paddle',
  title: 'Paddle',
  documentation: 'https://developer.paddle.com/webhooks/signature-verification',
  settings: {
    eventId: '/event_id',
    responseTimeout: '4s',
    verify: {
      scheme: 'hmac',
      header: 'Paddle-Signature',
      listKey: 'h1',
      signed: '{timestamp}:{body}',
      timestamp: { listKey: 'ts' },
    },
  },
  secrets: ['/verify/secrets'],
  secret: 'The secret key of the notification destination.',
  timeLimit: '5s',
  notes: ['Paddle tries for three days on a live account.'],
}
