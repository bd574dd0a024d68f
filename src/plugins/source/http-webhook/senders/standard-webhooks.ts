import type { Sender } from './sender.js'

export const standardWebhooks: Sender = {
  name: 'standard-webhooks',
  title: 'Any sender by Standard Webhooks',
  documentation: 'https://www.standardwebhooks.com/',
  settings: { eventId: 'header:webhook-id', responseTimeout: '14s', verify: { scheme: 'standard-webhooks' } },
  secrets: ['/verify/secrets'],
  secret:
    'The signing secret, which begins with "whsec_". For signatures v1a, set "verify": {"publicKeys": [...]} instead.',
  timeLimit: '15s',
  notes: [],
}
