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
    verify: { scheme: 'hmac', header: 'X-PagerDuty-Signature', listKey: 'v1' },
  },
  secrets: ['/verify/secrets'],
  secret: 'The secret that PagerDuty shows once, when the subscription is created.',
  timeLimit: '5s',
  retries:
    'PagerDuty delivers again for up to 48 hours after a time-out, 429 and 5xx; meanwhile the later events of the resource wait. It drops an event that gets another 4xx, and after three dropped events in a row it disables the subscription for a day.',
  retriesAt: ['https://github.com/PagerDuty/developer-docs/blob/main/docs/webhooks/02-Behavior.md'],
  notes: [],
}
