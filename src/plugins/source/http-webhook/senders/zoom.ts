import type { Sender } from './sender.js'

export const zoom: Sender = {
  name: 'zoom',
  title: 'Zoom',
  documentation: 'https://developers.zoom.us/docs/api/webhooks/',
  event: {
    body: {
      event: 'meeting.started',
      event_ts: 1_769_860_800_000,
      payload: { account_id: 'AAAAAABBBB', object: { id: '1234567890', topic: 'My meeting', type: 8 } },
    },
    differsAt: '/payload/object/uuid',
  },
  settings: {
    eventId: 'digest',
    responseTimeout: '2500ms',
    verify: {
      scheme: 'hmac',
      header: 'x-zm-signature',
      prefix: 'v0=',
      signed: 'v0:{timestamp}:{body}',
      timestamp: { header: 'x-zm-request-timestamp' },
    },
    handshake: {
      form: 'body',
      when: { '/event': 'endpoint.url_validation' },
      value: '/payload/plainToken',
      member: 'plainToken',
      hmac: { member: 'encryptedToken' },
    },
    responses: { 'dead-lettered': { status: 200 } },
  },
  secrets: ['/verify/secrets'],
  secret: 'The "Secret Token" of the app.',
  timeLimit: '3s',
  retries: 'Zoom delivers again after 5, 25 and 85 minutes.',
  retriesAt: ['https://developers.zoom.us/blog/webhook-delays.md'],
  successes: [200, 204],
  notes: [
    'Zoom validates the URL again every 72 hours.',
    'Zoom does not document whether a redelivery has a time of its own. If redeliveries are refused because they are too old, set "verify": {"timestamp": {"tolerance": "2h"}}.',
  ],
}
