import type { Sender } from './sender.js'

export const paddle: Sender = {
  name: 'paddle',
  title: 'Paddle',
  documentation: 'https://developer.paddle.com/webhooks/signature-verification',
  event: {
    body: {
      event_type: 'transaction.completed',
      occurred_at: '2026-01-31T12:00:00Z',
      data: { id: 'txn_01hv8x2acma2gz7he8kg7s0hna', status: 'completed', currency_code: 'EUR' },
    },
  },
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
    responses: { 'dead-lettered': { status: 200 } },
  },
  secrets: ['/verify/secrets'],
  secret: 'The secret key of the notification destination.',
  timeLimit: '5s',
  retries:
    'Paddle delivers again for three days on a live account, and three times within 15 minutes in a sandbox.',
  retriesAt: ['https://developer.paddle.com/webhooks/respond-to-webhooks'],
  successes: [200],
  notes: [],
}
