import type { Sender } from './sender.js'

export const github: Sender = {
  name: 'github',
  title: 'GitHub',
  documentation: 'https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries',
  event: {
    headers: { 'X-GitHub-Event': 'issues' },
    body: {
      action: 'opened',
      issue: { number: 1347, title: 'Found a bug', state: 'open', user: { login: 'octocat' } },
      repository: { full_name: 'octocat/hello-world', private: false },
      sender: { login: 'octocat' },
    },
  },
  settings: {
    eventId: 'header:X-GitHub-Delivery',
    responseTimeout: '9s',
    verify: { scheme: 'hmac', header: 'X-Hub-Signature-256', prefix: 'sha256=' },
  },
  secrets: ['/verify/secrets'],
  secret: 'The "Secret" of the webhook, a text of your own.',
  timeLimit: '10s',
  headers: [
    'X-GitHub-Event',
    'X-GitHub-Delivery',
    'X-GitHub-Hook-ID',
    'X-GitHub-Hook-Installation-Target-ID',
    'X-GitHub-Hook-Installation-Target-Type',
    'X-GitHub-Enterprise-Host',
    'X-GitHub-Enterprise-Version',
    'X-Hub-Signature',
    'X-Hub-Signature-256',
  ],
  notes: [
    'Set the content type of the webhook to application/json.',
    'GitHub does not deliver again by itself: redeliver failed deliveries from its list of recent deliveries or by its API.',
    'The kind of an event is in the header X-GitHub-Event only: a rule reads it by "at": "header:X-GitHub-Event". The first event is a ping.',
  ],
}
