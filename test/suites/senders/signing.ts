import { sign as signatureOf } from '@octokit/webhooks-methods'
import { CloudEvent, HTTP } from 'cloudevents'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import Stripe from 'stripe'
import { Webhook as SvixWebhook } from 'svix'
import { getExpectedBodyHash, getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js'
import type { ProvedRequest } from '../../../src/plugins/source/http-webhook/simulated-sender/proof.js'
import { ID, PUBLIC_URL, parametersOf, publicUrlOf, sample, withHeaders } from './request.js'

/** An official library that signs as its sender does. */
export interface SigningLibrary {
  readonly name: string
  /** The library of `VERIFYING` that takes what this one signs; absent if none does. */
  readonly verifiedBy?: string
  readonly sender: string
  /** Settings of the source besides the secrets. */
  readonly settings?: object
  /** Two secrets, as the sender shows them. */
  readonly secrets: readonly [string, string]
  /** The header that has the signature or the token. */
  readonly proof: string
  /** False if the sender only presents a token. */
  readonly signsBody: boolean
  /** Whether a signature has a time, so that it expires. */
  readonly signsTime: boolean
  /** The event that `request` makes. */
  readonly id: string
  /** A request that is not yet signed, with this text in its event. */
  request(text: string): ProvedRequest
  /** `at`: seconds since 1970. */
  sign(request: ProvedRequest, secret: string, at: number): ProvedRequest | Promise<ProvedRequest>
  /** Two signatures of one request and one time, as the sender sends them while it changes its secret. */
  joined?(one: string, other: string): string
}

const { webhooks } = new Stripe('sk_test_none')
const commaJoined = (one: string, other: string): string => `${one},${other.replace(/^t=\d+,/, '')}`
const spaceJoined = (one: string, other: string): string => `${one} ${other}`

const BASE64_SECRETS = [
  'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  'whsec_plJ3nmyCDGBKInavdOK15jslbW9yZQ==',
] as const

const TWILIO = {
  sender: 'twilio',
  settings: { publicUrl: PUBLIC_URL },
  secrets: ['12345678901234567890123456789012', '21098765432109876543210987654321'],
  proof: 'X-Twilio-Signature',
  signsBody: true,
  signsTime: false,
  id: ID,
} as const

const twilioForm = (text: string): ProvedRequest => {
  const form = sample('twilio', text)
  return { ...form, query: 'to=sales%20eu&a=1', body: `${form.body}&MediaUrl=b&MediaUrl=a&MediaUrl=b` }
}

const CLOUD_EVENTS = {
  sender: 'cloudevents',
  secrets: ['a-token-of-this-suite', 'another-token-of-this-suite'],
  proof: 'Authorization',
  signsBody: false,
  signsTime: false,
  id: `/orders:${ID}`,
  sign: (request: ProvedRequest, token: string) => withHeaders(request, { Authorization: `Bearer ${token}` }),
} as const

const cloudEvent = (text: string) =>
  new CloudEvent({ id: ID, source: '/orders', type: 'com.example.order.created', data: { note: text } })

const messageOf = ({ headers, body }: ReturnType<typeof HTTP.binary>): ProvedRequest => ({
  method: 'POST',
  query: '',
  headers: headers as ProvedRequest['headers'],
  body: String(body),
})

export const SIGNING: readonly SigningLibrary[] = [
  {
    name: 'stripe',
    verifiedBy: 'stripe',
    sender: 'stripe',
    secrets: ['whsec_test_secret', 'whsec_other_secret'],
    proof: 'Stripe-Signature',
    signsBody: true,
    signsTime: true,
    id: ID,
    request: (text) => sample('stripe', text),
    sign(request, secret, timestamp) {
      const header = webhooks.generateTestHeaderString({ payload: request.body, secret, timestamp })
      return withHeaders(request, { 'Stripe-Signature': header })
    },
    joined: commaJoined,
  },
  {
    name: '@octokit/webhooks-methods',
    verifiedBy: '@octokit/webhooks-methods',
    sender: 'github',
    secrets: ["It's a Secret to Everybody", 'Schlüssel'],
    proof: 'X-Hub-Signature-256',
    signsBody: true,
    signsTime: false,
    id: ID,
    request: (text) => sample('github', text),
    sign: async (request, secret) =>
      withHeaders(request, { 'X-Hub-Signature-256': await signatureOf(secret, request.body) }),
  },
  {
    ...TWILIO,
    name: 'twilio (forms)',
    verifiedBy: 'twilio',
    request: twilioForm,
    sign: (request, secret) =>
      withHeaders(request, {
        'X-Twilio-Signature': getExpectedTwilioSignature(secret, publicUrlOf(request), parametersOf(request)),
      }),
  },
  {
    ...TWILIO,
    name: 'twilio (forms, HMAC_SHA256)',
    settings: { ...TWILIO.settings, verify: { algorithm: 'sha256' } },
    request: twilioForm,
    sign(request, secret) {
      const parameters = parametersOf(request)
      const signature = getExpectedTwilioSignature(secret, publicUrlOf(request), parameters, 'HMAC_SHA256')
      return withHeaders(request, { 'X-Twilio-Signature': signature })
    },
  },
  {
    ...TWILIO,
    name: 'twilio (JSON)',
    verifiedBy: 'twilio',
    request(text) {
      const body = JSON.stringify({ note: text })
      const { method, headers } = sample('twilio', '')
      return {
        method,
        query: `bodySHA256=${getExpectedBodyHash(body)}`,
        headers: { ...headers, 'Content-Type': 'application/json' },
        body,
      }
    },
    sign: (request, secret) =>
      withHeaders(request, {
        'X-Twilio-Signature': getExpectedTwilioSignature(secret, publicUrlOf(request), {}),
      }),
  },
  {
    name: 'svix',
    verifiedBy: 'svix',
    sender: 'svix',
    secrets: BASE64_SECRETS,
    proof: 'svix-signature',
    signsBody: true,
    signsTime: true,
    id: ID,
    request: (text) => sample('svix', text),
    sign: (request, secret, at) =>
      withHeaders(request, {
        'svix-timestamp': String(at),
        'svix-signature': new SvixWebhook(secret).sign(ID, new Date(at * 1000), request.body),
      }),
    joined: spaceJoined,
  },
  {
    name: 'standardwebhooks',
    verifiedBy: 'standardwebhooks',
    sender: 'standard-webhooks',
    secrets: BASE64_SECRETS,
    proof: 'webhook-signature',
    signsBody: true,
    signsTime: true,
    id: ID,
    request: (text) => sample('standard-webhooks', text),
    sign: (request, secret, at) =>
      withHeaders(request, {
        'webhook-timestamp': String(at),
        'webhook-signature': new StandardWebhook(secret).sign(ID, new Date(at * 1000), request.body),
      }),
    joined: spaceJoined,
  },
  {
    ...CLOUD_EVENTS,
    name: 'cloudevents (structured)',
    request: (text) => messageOf(HTTP.structured(cloudEvent(text))),
  },
  {
    ...CLOUD_EVENTS,
    name: 'cloudevents (binary)',
    settings: { eventId: ['header:ce-source', 'header:ce-id'] },
    request: (text) => messageOf(HTTP.binary(cloudEvent(text))),
  },
]
