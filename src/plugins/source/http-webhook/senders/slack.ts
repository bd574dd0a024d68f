import type { Sender } from './sender.js'

/** Of everything that Slack sends. */
export const SLACK_SIGNATURE = {
  scheme: 'hmac',
  header: 'X-Slack-Signature',
  prefix: 'v0=',
  signed: 'v0:{timestamp}:{body}',
  timestamp: { header: 'X-Slack-Request-Timestamp' },
} as const

export const slack: Sender = {
  name: 'slack',
  title: 'Slack Events API',
  documentation: 'https://docs.slack.dev/authentication/verifying-requests-from-slack',
  event: {
    body: {
      type: 'event_callback',
      team_id: 'T123ABC456',
      event: { type: 'app_mention', user: 'U123ABC456', text: 'Is it everything a river should be?' },
      event_time: 1_515_449_522,
    },
  },
  settings: {
    eventId: '/event_id',
    responseTimeout: '2500ms',
    body: { formats: ['json', 'form'], jsonField: 'payload' },
    verify: SLACK_SIGNATURE,
    handshake: { form: 'body', when: { '/type': 'url_verification' }, value: '/challenge' },
  },
  secrets: ['/verify/secrets'],
  secret: 'The "Signing Secret" in the basic information of the app.',
  timeLimit: '3s',
  headers: ['X-Slack-Signature', 'X-Slack-Request-Timestamp', 'X-Slack-Retry-Num', 'X-Slack-Retry-Reason'],
  retries:
    'Slack delivers again three times: nearly at once, after a minute and after five. If more than 95 % of the deliveries of an hour fail, it turns the subscription off until you turn it on again.',
  retriesAt: ['https://docs.slack.dev/apis/events-api/'],
  notes: ['Interactions and slash commands have no event_id: they are the sender "slack-commands".'],
}
