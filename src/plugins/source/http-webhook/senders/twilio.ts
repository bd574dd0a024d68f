import type { Sender } from './sender.js'

/** An instruction to do nothing: Twilio reports any other Content-Type as an error 12300, and a text would become a reply. */
const NOTHING = {
  status: 200,
  body: '<?xml version="1.0" encoding="UTF-8"?><Response></Response>',
  headers: { 'content-type': 'text/xml; charset=utf-8' },
}

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
    responses: {
      accepted: NOTHING,
      delivered: NOTHING,
      duplicate: NOTHING,
      dropped: NOTHING,
      'dead-lettered': NOTHING,
    },
  },
  secrets: ['/verify/secrets'],
  secret: 'The auth token of the account.',
  timeLimit: '15s',
  needs: { publicUrl: 'Twilio signs the URL that you gave it.' },
  retries:
    'Twilio tries once more if it cannot connect. For more, put them behind the URL: "#rc=5&rp=all" tries five times after any failure, within 15 seconds in all.',
  retriesAt: ['https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides'],
  notes: [
    'The response is the TwiML of an empty Response: Twilio sends no reply to a message, and ends a call. For another instruction, set the "body" of `responses`.',
    'Most webhooks of Twilio are form-encoded: each parameter is a text at the top level, as "/MessageSid", and Kafka gets the form. With "body": {"value": "json"}, it gets JSON.',
    'If a rule of the Webhooks configuration API signs with a shared key (HMAC_SHA256), list its secret in `secrets`, and set "verify": {"algorithm": "sha256"}.',
    'Event Streams posts arrays of CloudEvents: give it a source of its own with "eventId": ["/source", "/id"] and "split": {}.',
  ],
}
