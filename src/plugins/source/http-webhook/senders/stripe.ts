import type { Sender } from './sender.js'

export const stripe: Sender = {
  name: 'stripe',
  title: 'Stripe',
  documentation: 'https://docs.stripe.com/webhooks/signature',
  event: {
    body: {
      object: 'event',
      type: 'payment_intent.succeeded',
      livemode: false,
      pending_webhooks: 1,
      data: {
        object: {
          id: 'pi_3MtwBwLkdIwHu7ix28a3tqPa',
          object: 'payment_intent',
          amount: 2000,
          currency: 'eur',
        },
      },
    },
  },
  settings: {
    eventId: '/id',
    verify: {
      scheme: 'hmac',
      header: 'Stripe-Signature',
      listKey: 'v1',
      signed: '{timestamp}.{body}',
      timestamp: { listKey: 't' },
    },
  },
  secrets: ['/verify/secrets'],
  secret: 'The signing secret of the endpoint, which begins with "whsec_".',
  headers: ['Stripe-Signature'],
  retries:
    'In live mode, Stripe delivers again for up to three days, at growing intervals; in a sandbox three times within a few hours. After that, the Dashboard resends an event for 15 days after it was made.',
  retriesAt: ['https://docs.stripe.com/webhooks#automatic-retries'],
  redelivery: 'id',
  notes: [
    'The member pending_webhooks counts the endpoints that have not had the event, so it can change between two deliveries. Stripe says to recognise an event by its id alone: set "redelivery": {"by": "id"} in the pipeline.',
  ],
}
