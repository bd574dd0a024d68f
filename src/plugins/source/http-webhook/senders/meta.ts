import type { Sender } from './sender.js'

export const meta: Sender = {
  name: 'meta',
  title: 'Meta (Facebook, Instagram, WhatsApp)',
  documentation: 'https://developers.facebook.com/docs/graph-api/webhooks/getting-started',
  settings: {
    eventId: 'digest',
    verify: { scheme: 'hmac', header: 'X-Hub-Signature-256', prefix: 'sha256=' },
    handshake: {
      form: 'query',
      parameter: 'hub.challenge',
      token: { parameter: 'hub.verify_token' },
      verified: false,
    },
  },
  secrets: ['/verify/secrets'],
  secret: 'The app secret.',
  needs: {
    handshake:
      'Meta sends your verify token when it registers the URL: "handshake": {"token": {"values": ["..."]}}.',
  },
  notes: ['A request brings a batch of entries, which is one event here.'],
}
