import type { Sender } from './sender.js'

export const pagerduty: Sender = {
  name: 'pagerduty',
  title: 'PagerDuty (webhooks v3)',
  documentation: 'https://developer.pagerduty.com/docs/verifying-webhook-signatures',
  event: {
    body: {
      event: {
        event_type: 'incident.triggered',
        resource_type: 'incident',
        occurred_at: '2026-01-31T12:00:00Z',
        data: { id: 'PGR0VU2', type: 'incident', title: 'A little bump in the road', urgency: 'high' },
      },
    },
  },
  settings: {
    eventId: '/event/id',
    responseTimeout: '4s',
    // It would drop an event that gets 429.
    responses: { limited: { status: 503 } },
    verify: { scheme: 'hmac', header: 'X-PagerDuty-Signature', listKey: 'v1' },
  },
  secrets: ['/verify/secrets'],
  secret: 'The secret that PagerDuty shows once, when the subscription is created.',
  timeLimit: '5s',
  retries:
    'PagerDuty tries for about 20 minutes. It drops an event that gets 4xx, and disables the subscription after three of them.',
  notes: [],
}
