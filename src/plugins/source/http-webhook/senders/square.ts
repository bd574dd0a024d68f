import type { Sender } from './sender.js'

export const square: Sender = {
  name: 'square',
  title: 'Square',
  documentation: 'https://developer.squareup.com/docs/webhooks/step3validate',
  event: {
    body: {
      merchant_id: 'MLEFBHHSJGVHD',
      type: 'payment.created',
      created_at: '2026-01-31T12:00:00Z',
      data: { type: 'payment', object: { payment: { status: 'APPROVED', amount_money: { amount: 100 } } } },
    },
  },
  settings: {
    eventId: '/event_id',
    responseTimeout: '9s',
    verify: {
      scheme: 'hmac',
      header: 'x-square-hmacsha256-signature',
      encoding: 'base64',
      signed: '{url}{body}',
    },
  },
  secrets: ['/verify/secrets'],
  secret: 'The signature key of the subscription.',
  timeLimit: '10s',
  needs: { publicUrl: 'Square signs the URL that you gave it.' },
  retries:
    'Square delivers again for up to 24 hours (for 72 by earlier versions of the page), and then discards the event. After three weeks without a success it turns the subscription off.',
  retriesAt: [
    'https://developer.squareup.com/docs/webhooks/troubleshooting',
    'https://developer.squareup.com/docs/webhooks/step4manage',
  ],
  notes: [],
}
