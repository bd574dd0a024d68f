import type { Sender } from './sender.js'

export const standardWebhooks: Sender = {
  name: 'standard-webhooks',
  title: 'Any sender by Standard Webhooks',
  documentation: 'https://www.standardwebhooks.com/',
  event: {
    body: {
      type: 'contact.created',
      timestamp: '2026-01-31T12:00:00Z',
      data: { id: '1f81eb52-5198-4599-803e-771906343485', first_name: 'Ada' },
    },
  },
  settings: { eventId: 'header:webhook-id', responseTimeout: '14s', verify: { scheme: 'standard-webhooks' } },
  secrets: ['/verify/secrets'],
  secret:
    'The signing secret, which begins with "whsec_". For signatures v1a, set "verify": {"publicKeys": [...]} instead.',
  timeLimit: '15s',
  retries:
    'Standard Webhooks asks senders to deliver again for some days, at growing intervals; the documentation of yours has the numbers.',
  retriesAt: ['https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md'],
  notes: [],
}
