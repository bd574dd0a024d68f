import type { Sender } from './sender.js'

export const cloudevents: Sender = {
  name: 'cloudevents',
  title: 'Any sender of CloudEvents by its HTTP webhook specification',
  documentation: 'https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md',
  event: {
    headers: { 'Content-Type': 'application/cloudevents+json' },
    body: {
      specversion: '1.0',
      type: 'com.example.order.created',
      source: '/orders',
      time: '2026-01-31T12:00:00Z',
      datacontenttype: 'application/json',
      data: { orderId: 'o-1042', region: 'eu-west' },
    },
  },
  settings: {
    eventId: ['/source', '/id'],
    verify: { scheme: 'bearer' },
    handshake: { form: 'options', origins: ['*'], verified: false },
  },
  secrets: ['/verify/tokens'],
  secret: 'The token that the sender puts into the Authorization header.',
  retries:
    'The specification leaves retries to the sender. It asks senders to heed 429 with Retry-After, and to stop after 410.',
  retriesAt: ['https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md'],
  otherSchemes: ['api-key', 'jwt'],
  notes: [
    'The content mode is "structured". In binary mode, the id is in headers: "eventId": ["header:ce-source", "header:ce-id"].',
    'For batches (application/cloudevents-batch+json), add "split": {}.',
    'A sender that has its token in the URL needs "verify": {"scheme": "api-key", "query": "access_token", "keys": ["..."]} instead of `secrets`.',
    'Name the origins that may send: "handshake": {"origins": ["..."]}.',
  ],
}
