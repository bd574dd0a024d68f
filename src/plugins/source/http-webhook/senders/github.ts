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
    body: { formats: ['json', 'form'], jsonField: 'payload' },
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
  retries:
    'GitHub does not deliver again by itself: redeliver failed deliveries of the last three days from the list of recent deliveries, or by its API.',
  retriesAt: ['https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries'],
  notes: [
    'A payload can have up to 25 MB, and `maxBody` is 980KiB unless you raise it together with the limits of Kafka.',
    'The kind of an event is in the header X-GitHub-Event only: a rule reads it by "at": "header:X-GitHub-Event". The first event is a ping.',
  ],
}
