import type { Sender } from './sender.js'

export const twilio: Sender = {
  name: 'twilio',
  title: 'Twilio',
  documentation: 'https://www.twilio.com/docs/usage/webhooks/webhooks-security',
  event: {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8' },
    body: {
      MessageSid: 'SM00000000000000000000000000000001',
      AccountSid: 'AC00000000000000000000000000000000',
      From: '+14155550100',
      To: '+14155550101',
      Body: 'Is it open on Sunday?',
      NumSegments: '1',
      NumMedia: '0',
      SmsStatus: 'received',
      ApiVersion: '2010-04-01',
    },
  },
  settings: {
    eventId: 'header:I-Twilio-Idempotency-Token',
    responseTimeout: '14s',
    body: { formats: ['form', 'json'] },
    verify: {
      scheme: 'hmac',
      header: 'X-Twilio-Signature',
      encoding: 'base64',
      algorithm: 'sha1',
      signed: '{url}{form}',
      bodyDigest: { query: 'bodySHA256' },
    },
  },
  secrets: ['/verify/secrets'],
  secret: 'The auth token of the account.',
  timeLimit: '15s',
  needs: { publicUrl: 'Twilio signs the URL that you gave it.' },
  retries:
    'Twilio tries once more if it cannot connect. For more, put them behind the URL: "#rc=5&rp=all" tries five times after any failure, within 15 seconds in all.',
  retriesAt: 'https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides',
  notes: [
    'Most webhooks of Twilio are form-encoded: each parameter is a text at the top level, as "/MessageSid", and Kafka gets the form. With "body": {"value": "json"}, it gets JSON.',
    'If a rule of the Webhooks configuration API signs with a shared key (HMAC_SHA256), list its secret in `secrets`, and set "verify": {"algorithm": "sha256"}.',
    'Event Streams posts arrays of CloudEvents: give it a source of its own with "eventId": ["/source", "/id"] and "split": {}.',
  ],
}
