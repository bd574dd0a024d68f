import { EMPTY_RESPONSES, type Sender } from './sender.js'

export const okta: Sender = {
  name: 'okta',
  title: 'Okta event hooks',
  documentation: 'https://developer.okta.com/docs/concepts/event-hooks/',
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
  notes: [
    'Use Authorization as the authentication field of the hook, or name yours: "verify": {"header": "..."}.',
    'Okta tries once again. It wants an empty response.',
  ],
}
