import { EMPTY_RESPONSES, type Sender } from './sender.js'

export const okta: Sender = {
  name: 'okta',
  title: 'Okta event hooks',
  documentation: 'https://developer.okta.com/docs/concepts/event-hooks/',
  event: {
    body: {
      eventType: 'com.okta.event_hook',
      eventTypeVersion: '1.0',
      source: 'https://example.okta.com/api/v1/eventHooks/who8tsqyrhCdmetzx135',
      data: { events: [{ uuid: 'f8f1c7e4', eventType: 'user.lifecycle.create', severity: 'INFO' }] },
    },
  },
  settings: {
    eventId: '/eventId',
    responseTimeout: '2500ms',
    verify: { scheme: 'api-key', header: 'Authorization' },
    handshake: {
      form: 'header',
      header: 'X-Okta-Verification-Challenge',
      member: 'verification',
      verified: false,
    },
    responses: EMPTY_RESPONSES,
  },
  secrets: ['/verify/keys'],
  secret: 'The "Authentication secret" of the hook, a text of your own. Okta sends it as it is.',
  timeLimit: '3s',
  retries: 'Okta tries once more after a time-out or 5xx, and never after 4xx.',
  retriesAt: ['https://developer.okta.com/docs/concepts/event-hooks/'],
  successes: [200, 204],
  notes: [
    'Use Authorization as the authentication field of the hook, or name yours: "verify": {"header": "..."}.',
    'Okta wants an empty response.',
  ],
}
