import { createHmac } from 'node:crypto'

/** An event as a sender sends it, and how a request of it is forged. */
export interface Vector {
  readonly sender: string
  /** Where the signature comes from: the documentation, an official library, or this file by the documented formula. */
  readonly from: string
  readonly secret: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  /** After the path of the source. */
  readonly query?: string
  /** Of the event, if it does not differ from run to run. */
  readonly id: string | undefined
  /** Seconds since 1970, if the time is signed. */
  readonly at?: number
  /** Settings that this sender needs. */
  readonly settings?: object
  /** How many events the request brings. Default: one. */
  readonly events?: number
  /** The status to an accepted event. Default: 200. */
  readonly status?: number
}

const AT = 1_700_000_000
const PUBLIC_URL = 'https://hooks.example.com'
const FORMULA = 'the documented formula'

const hmac = (text: string, secret: string | Buffer, encoding: 'hex' | 'base64' = 'hex') =>
  createHmac('sha256', secret).update(text).digest(encoding)

const graph =
  '{"value":[{"clientState":"s3cret","changeType":"updated"},{"clientState":"s3cret","changeType":"created"}]}'
const meta = '{"object":"page","entry":[{"id":"0","time":1520383571},{"id":"0","time":1520383572}]}'
const zoom = '{"event":"meeting.started","event_ts":1626230691572,"payload":{}}'
const slack = '{"type":"event_callback","event_id":"Ev9UQ52YNA","event":{"type":"app_mention"}}'
const genesys = '{"id":"0b3c5a7e","type":"Text","direction":"Outbound"}'
const pagerduty = '{"event":{"id":"01BWLHQ3WH4ZYFVGXJ4C4XQ3V0","event_type":"incident.triggered"}}'
const zendesk = '{"type":"zen:event-type:ticket.created","id":"01GJ"}'
const ens =
  '[{"eventCategoryType":"EngagementEvents.EmailOpen","composite":{"jobId":"1"}},{"eventCategoryType":"EngagementEvents.EmailClick","composite":{"jobId":"1"}}]'
/** Two notifications, by the WSDL of outbound messages. */
const outbound = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>00D24xxx</OrganizationId><SessionId xsi:nil="true"/>
   <Notification><Id>04l0800002nrC5BAAU</Id><sObject xsi:type="sf:Account"/></Notification>
   <Notification><Id>04l0800002nrC5CAAU</Id><sObject xsi:type="sf:Account"/></Notification>
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>`
const expert = '<event id="d-1"><page>1</page></event>'
const paddle = '{"event_id":"evt_01h","event_type":"transaction.completed"}'
const cloudEvent = '{"specversion":"1.0","source":"/mycontext","id":"A234-1234-1234","type":"com.example"}'
const grid =
  '[{"id":"2d1781af","eventType":"Microsoft.Storage.BlobCreated","subject":"x","data":{}},{"id":"831e1650","eventType":"Microsoft.Storage.BlobDeleted","subject":"x","data":{}}]'

export const VECTORS: readonly Vector[] = [
  {
    sender: 'github',
    from: '@octokit/webhooks-methods 6.0.0, sign',
    secret: "It's a Secret to Everybody",
    headers: {
      'x-hub-signature-256': 'sha256=65cf1e1aeb36f098c67ba0ea5421c7ce1f94fd30c73bb51911a847c2e3480f52',
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    },
    body: '{"zen":"Design for failure.","hook_id":1}',
    id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
  },
  {
    sender: 'gitlab',
    from: 'the documentation',
    secret: 'a token',
    headers: { 'x-gitlab-token': 'a token', 'idempotency-key': 'f5e5f430-f57b-4e6e-9fac-d9128cd7232f' },
    body: '{"object_kind":"push"}',
    id: 'f5e5f430-f57b-4e6e-9fac-d9128cd7232f',
  },
  {
    sender: 'stripe',
    from: 'stripe 23.1.0, webhooks.generateTestHeaderString',
    secret: 'whsec_test_secret',
    headers: {
      'stripe-signature': `t=${AT},v1=ac1ab887a13a43f7e22e9eb21eab375b1f40446fa99ade9b6a94fca7f66acd38`,
    },
    body: '{"id":"evt_1","object":"event","type":"charge.succeeded"}',
    id: 'evt_1',
    at: AT,
  },
  {
    sender: 'shopify',
    from: '@shopify/shopify-api 13.1.0, webhooks.validate, accepts it',
    secret: 'hush',
    headers: {
      'x-shopify-hmac-sha256': 'qBvrsZF7RfB1iS6BX6IHqJTp5L911P7intnPeTPsH0I=',
      'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
      'x-shopify-topic': 'orders/create',
    },
    body: '{"id":820982911946154508}',
    id: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
  },
  {
    sender: 'slack',
    from: '@slack/bolt 5.1.0, verifySlackRequest, accepts it',
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    headers: {
      'x-slack-signature': 'v0=e13c253e7f086899be564b553d65a82385a104e3d008cf35e91590cc6b5cc4ba',
      'x-slack-request-timestamp': String(AT),
    },
    body: slack,
    id: 'Ev9UQ52YNA',
    at: AT,
  },
  {
    sender: 'slack-commands',
    from: 'the documentation',
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
      'x-slack-request-timestamp': '1531420618',
    },
    body: 'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
    id: undefined,
    at: 1_531_420_618,
  },
  {
    sender: 'twilio',
    from: 'twilio 6.2.0, getExpectedTwilioSignature and getExpectedBodyHash',
    secret: '12345',
    headers: {
      'x-twilio-signature': '47xJo78Vguj9+AV7waArwAamtZk=',
      'i-twilio-idempotency-token': 'abc-1',
    },
    query: '?bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620',
    body: '{"property": "value", "boolean": true}',
    id: 'abc-1',
    settings: { publicUrl: PUBLIC_URL },
  },
  {
    sender: 'zendesk',
    from: FORMULA,
    secret: 'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==',
    headers: {
      'x-zendesk-webhook-signature': hmac(
        `2023-11-14T22:13:20Z${zendesk}`,
        'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==',
        'base64',
      ),
      'x-zendesk-webhook-signature-timestamp': '2023-11-14T22:13:20Z',
      'x-zendesk-webhook-invocation-id': '01FSY6B6',
    },
    body: zendesk,
    id: '01FSY6B6',
    at: AT,
  },
  {
    sender: 'salesforce',
    from: FORMULA,
    secret: 'c2lnbmF0dXJlIGtleQ==',
    headers: { 'x-sfmc-ens-signature': hmac(ens, 'c2lnbmF0dXJlIGtleQ==', 'base64') },
    body: ens,
    id: undefined,
    events: 2,
  },
  {
    sender: 'salesforce-outbound',
    from: 'the documentation',
    secret: 'key/1',
    headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: '""' },
    query: '?code=key%2F1',
    body: outbound,
    id: '04l0800002nrC5BAAU',
    events: 2,
  },
  {
    sender: 'genesys',
    from: FORMULA,
    secret: 'shared',
    headers: { 'x-hub-signature-256': `sha256=${hmac(genesys, 'shared', 'base64')}` },
    body: genesys,
    id: '0b3c5a7e',
  },
  {
    sender: 'pagerduty',
    from: FORMULA,
    secret: 'shared',
    headers: { 'x-pagerduty-signature': `v1=${'0'.repeat(64)},v1=${hmac(pagerduty, 'shared')}` },
    body: pagerduty,
    id: '01BWLHQ3WH4ZYFVGXJ4C4XQ3V0',
  },
  {
    sender: 'okta',
    from: 'the documentation',
    secret: 'Basic YWRtaW46c3VwZXJzZWNyZXQ=',
    headers: { authorization: 'Basic YWRtaW46c3VwZXJzZWNyZXQ=' },
    body: '{"eventId":"b5a188b9","data":{"events":[]}}',
    id: 'b5a188b9',
    status: 204,
  },
  {
    sender: 'microsoft-graph',
    from: 'the documentation',
    secret: 's3cret',
    headers: {},
    body: graph,
    id: undefined,
    events: 2,
  },
  {
    sender: 'meta',
    from: FORMULA,
    secret: 'app secret',
    headers: { 'x-hub-signature-256': `sha256=${hmac(meta, 'app secret')}` },
    body: meta,
    id: undefined,
    events: 2,
    settings: { handshake: { token: { values: ['meatyhamhock'] } } },
  },
  {
    sender: 'zoom',
    from: FORMULA,
    secret: 'secret token',
    headers: {
      'x-zm-signature': `v0=${hmac(`v0:${AT}:${zoom}`, 'secret token')}`,
      'x-zm-request-timestamp': String(AT),
    },
    body: zoom,
    id: undefined,
    at: AT,
  },
  {
    sender: 'dropbox',
    from: FORMULA,
    secret: 'app secret',
    headers: { 'x-dropbox-signature': hmac('{"list_folder":{"accounts":["dbid:A"]}}', 'app secret') },
    body: '{"list_folder":{"accounts":["dbid:A"]}}',
    id: undefined,
  },
  {
    sender: 'svix',
    from: 'svix 2.5.0, Webhook.sign, and the documentation',
    secret: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
    headers: {
      'svix-id': 'msg_loFOjxBNrRLzqYUf',
      'svix-timestamp': '1731705121',
      'svix-signature': 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
    },
    body: '{"event_type":"ping","data":{"success":true}}',
    id: 'msg_loFOjxBNrRLzqYUf',
    at: 1_731_705_121,
  },
  {
    sender: 'standard-webhooks',
    from: 'the tests of the official libraries',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    headers: {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    body: '{"test": 2432232314}',
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: 1_614_265_330,
  },
  {
    sender: 'cloudevents',
    from: 'the specification',
    secret: 'token',
    headers: { authorization: 'Bearer token', 'content-type': 'application/cloudevents+json' },
    body: cloudEvent,
    id: '/mycontext:A234-1234-1234',
  },
  {
    sender: 'event-grid',
    from: 'the documentation',
    secret: 'key/1',
    headers: { 'aeg-event-type': 'Notification' },
    query: '?code=key%2F1',
    body: grid,
    id: '2d1781af',
    events: 2,
  },
  {
    sender: 'sendgrid',
    from: 'the tests of @sendgrid/eventwebhook 8.0.0',
    secret:
      'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==',
    headers: {
      'x-twilio-email-event-webhook-signature':
        'MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=',
      'x-twilio-email-event-webhook-timestamp': '1600112502',
    },
    body: `${JSON.stringify([
      {
        email: 'hello@world.com',
        event: 'dropped',
        reason: 'Bounced Address',
        sg_event_id: 'ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA',
        sg_message_id: 'LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0',
        'smtp-id': '<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>',
        timestamp: 1_600_112_492,
      },
    ])}\r\n`,
    id: undefined,
    at: 1_600_112_502,
  },
  {
    sender: 'discord',
    from: 'a key of this file; discord-interactions 4.4.0, verifyKey, accepts it',
    secret: 'a7b06c952122c6ddf319a4497885398850d5f73cc53647544a41d5c237c7118e',
    headers: {
      'x-signature-ed25519':
        '7dc812db4e953a7a85dcd9b169c77077d5c0c53c82e1e1009a81f12406f126066f55e9a7e8c689c79fddcfedf54b1c53d95e59931ee49526542968088793df02',
      'x-signature-timestamp': String(AT),
    },
    body: '{"version":1,"type":1,"event":{"type":"APPLICATION_AUTHORIZED","timestamp":"2024-10-18T14:42:53.064834"}}',
    id: undefined,
    at: AT,
    status: 204,
  },
  {
    sender: 'hubspot',
    from: '@hubspot/api-client 14.0.1, Signature.getSignature',
    secret: 'secret',
    headers: {
      'x-hubspot-signature-v3': 'NP7m0V40u1uUF6rqOfJ0VAgWZaCTBm4Oz4JRrEwv8l0=',
      'x-hubspot-request-timestamp': `${AT}000`,
    },
    body: '[{"eventId":1}]',
    id: undefined,
    at: AT,
    settings: { publicUrl: PUBLIC_URL },
  },
  {
    sender: 'square',
    from: 'square 46.0.0, WebhooksHelper.verifySignature, accepts it',
    secret: 'sigkey',
    headers: { 'x-square-hmacsha256-signature': 'Y1ozK7aX8vQamYPlFDw4ef7ex801LfHxFF7JEbJVbz0=' },
    body: '{"merchant_id":"MLEFBHHSJGVHD","event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f"}',
    id: 'ac3ac95b-f97d-458c-a6e6-18981597e05f',
    settings: { publicUrl: PUBLIC_URL },
  },
  {
    sender: 'paddle',
    from: '@paddle/paddle-node-sdk 3.10.0, webhooks.isSignatureValid, accepts it',
    secret: 'pdl_ntfset_01h',
    headers: {
      'paddle-signature': `ts=${AT};h1=3d562ff0d5010b369cb8a4080a0345f289ebac87f09e51ef855bbf0e00203ac8`,
    },
    body: paddle,
    id: 'evt_01h',
    at: AT,
  },
  {
    sender: 'cxone-studio',
    from: 'a script',
    secret: 'token',
    headers: { authorization: 'Bearer token' },
    body: '{"contactId":"1"}',
    id: '1',
    settings: { eventId: '/contactId' },
  },
  {
    sender: 'cxone-expert',
    from: FORMULA,
    secret: 'shared',
    headers: {
      'x-nexus-signature-256': `sha256=${hmac(`${AT}.${expert}`, 'shared')}`,
      'x-nexus-timestamp': String(AT),
      'x-nexus-delivery-id': 'd-1',
      'content-type': 'text/xml',
    },
    body: expert,
    id: 'd-1',
    at: AT,
  },
]

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const interaction = `payload=${encodeURIComponent('{"type":"block_actions","trigger_id":"12321423423.333649436676.d8c1bb83"}')}`
const ping = `payload=${encodeURIComponent('{"zen":"Design for failure.","hook_id":1}')}`

const call = { CallSid: 'CA1234567890ABCDE', Digits: '1234', From: '+14158675309', To: '+18005551212' }

/** The same senders with bodies of another format. */
export const FORMS: readonly (Vector & { readonly value: unknown })[] = [
  {
    sender: 'github',
    from: FORMULA,
    secret: "It's a Secret to Everybody",
    headers: {
      ...FORM,
      'x-hub-signature-256': `sha256=${hmac(ping, "It's a Secret to Everybody")}`,
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    },
    body: ping,
    id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    value: { zen: 'Design for failure.', hook_id: 1 },
  },
  {
    sender: 'slack',
    from: FORMULA,
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    headers: {
      ...FORM,
      'x-slack-signature': `v0=${hmac(`v0:${AT}:${interaction}`, '8f742231b10e8888abcd99yyyzzz85a5')}`,
      'x-slack-request-timestamp': String(AT),
    },
    body: interaction,
    id: '12321423423.333649436676.d8c1bb83',
    at: AT,
    settings: { eventId: '/trigger_id' },
    value: { type: 'block_actions', trigger_id: '12321423423.333649436676.d8c1bb83' },
  },
  {
    sender: 'twilio',
    from: FORMULA,
    secret: '12345',
    headers: {
      ...FORM,
      'x-twilio-signature': createHmac('sha1', '12345')
        .update(`${PUBLIC_URL}/in?foo=1&bar=2${Object.entries(call).flat().join('')}`)
        .digest('base64'),
      'i-twilio-idempotency-token': 'abc-2',
    },
    query: '?foo=1&bar=2',
    body: new URLSearchParams(call).toString(),
    id: 'abc-2',
    settings: { publicUrl: PUBLIC_URL },
    value: call,
  },
]
