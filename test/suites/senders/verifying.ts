import { verify } from '@octokit/webhooks-methods'
import { EventWebhook } from '@sendgrid/eventwebhook'
import { type CloudEvent, HTTP } from 'cloudevents'
import { verifyKey } from 'discord-interactions'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import Stripe from 'stripe'
import { Webhook as SvixWebhook } from 'svix'
import { validateRequest, validateRequestWithBody } from 'twilio/lib/webhooks/webhooks.js'
import type { ProvedRequest } from '../../../src/plugins/source/http-webhook/simulated-sender/proof.js'
import { PUBLIC_URL, parametersOf, publicUrlOf } from './request.js'

/** An official library that verifies as the sender tells its users to. */
export interface VerifyingLibrary {
  readonly name: string
  readonly sender: string
  readonly settings?: object
  /** `secret`: as the settings of the source have it. Throws or returns false if the request is not genuine. */
  accepts(request: ProvedRequest, secret: string): boolean | Promise<boolean>
}

/** By a lower-case name. */
function headerOf({ headers }: ProvedRequest, name: string): string {
  const entry = Object.entries(headers).find(([each]) => each.toLowerCase() === name)
  return entry?.[1] ?? ''
}

const { webhooks } = new Stripe('sk_test_none')

/** Length of an Ed25519 public key, at the end of its DER. */
const ED25519_BYTES = 32

export const VERIFYING: readonly VerifyingLibrary[] = [
  {
    name: 'stripe',
    sender: 'stripe',
    accepts: (request, secret) =>
      webhooks.constructEvent(request.body, headerOf(request, 'stripe-signature'), secret) !== undefined,
  },
  {
    name: '@octokit/webhooks-methods',
    sender: 'github',
    accepts: (request, secret) => verify(secret, request.body, headerOf(request, 'x-hub-signature-256')),
  },
  {
    name: 'twilio',
    sender: 'twilio',
    settings: { publicUrl: PUBLIC_URL },
    accepts(request, secret) {
      const signature = headerOf(request, 'x-twilio-signature')
      const url = publicUrlOf(request)
      return request.query.includes('bodySHA256=')
        ? validateRequestWithBody(secret, signature, url, request.body)
        : validateRequest(secret, signature, url, parametersOf(request))
    },
  },
  {
    name: 'svix',
    sender: 'svix',
    accepts: (request, secret) => new SvixWebhook(secret).verify(request.body, request.headers) !== undefined,
  },
  {
    name: 'standardwebhooks',
    sender: 'standard-webhooks',
    accepts: (request, secret) =>
      new StandardWebhook(secret).verify(request.body, request.headers) !== undefined,
  },
  {
    name: 'cloudevents',
    sender: 'cloudevents',
    accepts: ({ headers, body }) =>
      (
        HTTP.toEvent({
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
          ),
          body,
        }) as CloudEvent<unknown>
      ).validate(),
  },
  {
    name: 'discord-interactions',
    sender: 'discord',
    accepts(request, key) {
      const raw = Buffer.from(key, 'base64').subarray(-ED25519_BYTES).toString('hex')
      const timestamp = headerOf(request, 'x-signature-timestamp')
      return verifyKey(request.body, headerOf(request, 'x-signature-ed25519'), timestamp, raw)
    },
  },
  {
    name: '@sendgrid/eventwebhook',
    sender: 'sendgrid',
    accepts(request, key) {
      const webhook = new EventWebhook()
      return webhook.verifySignature(
        webhook.convertPublicKeyToECDSA(key),
        request.body,
        headerOf(request, 'x-twilio-email-event-webhook-signature'),
        headerOf(request, 'x-twilio-email-event-webhook-timestamp'),
      )
    },
  },
]
