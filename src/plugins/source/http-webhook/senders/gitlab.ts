import type { Sender } from './sender.js'

export const gitlab: Sender = {
  name: 'gitlab',
  title: 'GitLab',
  documentation: 'https://docs.gitlab.com/user/project/integrations/webhooks/',
  settings: {
    eventId: 'header:Idempotency-Key',
    responseTimeout: '9s',
    verify: { scheme: 'api-key', header: 'X-Gitlab-Token' },
  },
  secrets: ['/verify/keys'],
  secret: 'The "Secret token" of the webhook, a text of your own. GitLab sends it as it is, so use HTTPS.',
  timeLimit: '10s',
  notes: [
    'Versions of GitLab before 17.4 send no Idempotency-Key: use "header:X-Gitlab-Event-UUID" as eventId.',
  ],
}
