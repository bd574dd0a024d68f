import type { Sender } from './sender.js'

export const meta: Sender = {
  name: 'meta',
  title: 'Meta (Facebook, Instagram, WhatsApp)',
  documentation: 'https://developers.facebook.com/docs/graph-api/webhooks/getting-started',
  event: {
    body: {
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '102290129340398',
          changes: [
            {
              field: 'messages',
              value: {
                messaging_product: 'whatsapp',
                messages: [
                  { from: '16505551234', type: 'text', text: { body: 'Does it come in another colour?' } },
                ],
              },
            },
          ],
        },
        {
          id: '102290129340398',
          changes: [
            {
              field: 'messages',
              value: {
                messaging_product: 'whatsapp',
                messages: [{ from: '16505551234', type: 'text', text: { body: 'In green, for example?' } }],
              },
            },
          ],
        },
      ],
    },
    differsAt: '/changes/0/value/messages/0/id',
  },
  settings: {
    eventId: 'digest',
    split: { at: '/entry' },
    verify: { scheme: 'hmac', header: 'X-Hub-Signature-256', prefix: 'sha256=' },
    handshake: {
      form: 'query',
      parameter: 'hub.challenge',
      token: { parameter: 'hub.verify_token' },
      verified: false,
    },
    responses: { 'dead-lettered': { status: 200 } },
  },
  secrets: ['/verify/secrets'],
  secret: 'The app secret.',
  needs: {
    handshake:
      'Meta sends your verify token when it registers the URL: "handshake": {"token": {"values": ["..."]}}.',
  },
  retries: 'Meta delivers again for up to 36 hours, WhatsApp for up to seven days, at growing intervals.',
  retriesAt: ['https://developers.facebook.com/docs/graph-api/webhooks/getting-started'],
  successes: [200],
  notes: [
    'A payload of WhatsApp can have up to 3 MB, and `maxBody` is 980KiB unless you raise it.',
    'A request brings a batch of entries; each entry is an event here, with its list of changes or messages.',
    'The member "object" says of what kind the entries are. It is beside them, and not in their records: give each kind a URL of its own, or make a request one event with "split": {"enabled": false}.',
  ],
}
