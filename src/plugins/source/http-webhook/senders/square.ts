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
    'Square delivers again at growing intervals; versions of its documentation say for 24, 48 or 72 hours. After three weeks of failures it turns the subscription off.',
  notes: [],
}
