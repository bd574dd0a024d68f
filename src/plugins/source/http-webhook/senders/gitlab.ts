import type { Sender } from './sender.js'

export const gitlab: Sender = {
  name: 'gitlab',
  title: 'GitLab',
  documentation: 'https://docs.gitlab.com/user/project/integrations/webhooks/',
  event: {
    headers: { 'X-Gitlab-Event': 'Push Hook' },
    body: {
      object_kind: 'push',
      ref: 'refs/heads/main',
      checkout_sha: 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7',
      user_username: 'jsmith',
      project: { id: 15, path_with_namespace: 'mike/diaspora' },
      total_commits_count: 1,
    },
  },
  settings: {
    eventId: 'header:Idempotency-Key',
    responseTimeout: '9s',
    verify: { scheme: 'api-key', header: 'X-Gitlab-Token' },
  },
  secrets: ['/verify/keys'],
  secret: 'The "Secret token" of the webhook, a text of your own. GitLab sends it as it is, so use HTTPS.',
  timeLimit: '10s',
  retries:
    'GitLab does not deliver an event again by itself: resend it from the list of recent events. After four failures in a row, GitLab.com disables the webhook for a minute, then for longer, up to a day; after 40 for good. A GitLab of your own does so only if that is turned on.',
  retriesAt: ['https://docs.gitlab.com/user/project/integrations/webhooks/#auto-disabled-webhooks'],
  otherSchemes: ['standard-webhooks'],
  notes: [
    'GitLab 19 and later can sign instead, with a signing token that begins with "whsec_", and recommends it for new webhooks: "verify": {"scheme": "standard-webhooks", "secrets": ["..."]} instead of `secrets`.',
    'Versions of GitLab before 17.4 send no Idempotency-Key: use "header:X-Gitlab-Event-UUID" as eventId.',
  ],
}
