import type { Static } from 'typebox'
import { variants } from '../../../../contract/index.js'
import { Pointer, Type } from '../../../../lib/json/pointer.js'
import { HeaderName, PlainSecrets } from '../verify/verifier.js'

const closed = { additionalProperties: false } as const

const Parameter = (description: string) => Type.String({ minLength: 1, description })

const Member = Type.Optional(
  Type.String({
    minLength: 1,
    description:
      'The member of a JSON object in which the sender expects the value. Without it, the value is the whole response, as text.',
  }),
)

const Verified = Type.Boolean({
  default: true,
  description:
    'Whether the request must prove its sender, as `verify` asks for it. Some senders cannot do that for a handshake: with false, anyone gets the response, and learns no more than that something listens here.',
})

const TextOrNumber = { type: ['string', 'number'], expected: 'a text or a number' }

const Method = Type.Enum(['GET', 'POST'], { default: 'GET', description: 'The method of the request.' })

export const queryForm = Type.Object(
  {
    form: Type.Literal('query', {
      description:
        'The sender expects the value of a parameter of the query back (Dropbox, Meta, Microsoft Graph).',
    }),
    method: Method,
    parameter: Parameter('The parameter whose value the sender expects back.'),
    token: Type.Optional(
      Type.Object(
        {
          parameter: Parameter('The parameter that has the token.'),
          values: PlainSecrets('The tokens that are accepted.'),
        },
        {
          ...closed,
          description: 'A token in the query, by which the sender proves itself for the handshake.',
        },
      ),
    ),
    member: Member,
    verified: Verified,
  },
  closed,
)

export const headerForm = Type.Object(
  {
    form: Type.Literal('header', {
      description: 'The sender expects the value of a header back (Okta).',
    }),
    method: Method,
    header: HeaderName('The header whose value the sender expects back.'),
    member: Member,
    verified: Verified,
  },
  closed,
)

export const bodyForm = Type.Object(
  {
    form: Type.Literal('body', {
      description:
        'The sender posts a body that is no event, and expects a value of it back (Slack, Zoom, Azure Event Grid). It must prove itself as `verify` asks for it.',
    }),
    when: Type.Record(Type.String({ format: 'json-pointer' }), Type.Unsafe<string | number>(TextOrNumber), {
      minProperties: 1,
      expected: 'JSON Pointers with texts or numbers, such as {"/type": "url_verification"}',
      description: 'How the body is recognised: JSON Pointers, and the text or number that must be at each.',
    }),
    value: Type.Optional(
      Pointer({
        description:
          'The location of the value that the sender expects back. Without it, the response is an empty 204 (Discord).',
      }),
    ),
    member: Member,
    hmac: Type.Optional(
      Type.Object(
        {
          member: Type.String({ minLength: 1, description: 'The member of the response that has the HMAC.' }),
          encoding: Type.Enum(['hex', 'base64'], { default: 'hex', description: 'How it is written.' }),
        },
        {
          ...closed,
          description:
            'If the sender also expects the HMAC of the value, with the secret and the hash by which it has signed the request (Zoom).',
        },
      ),
    ),
  },
  closed,
)

export const optionsForm = Type.Object(
  {
    form: Type.Literal('options', {
      description:
        'The sender asks by OPTIONS with the header WebHook-Request-Origin whether it may send (CloudEvents).',
    }),
    origins: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'The origins that may send, such as "eventgrid.azure.net"; "*" stands for any.',
    }),
    rate: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'The requests a minute that are allowed. Default: any number.',
      }),
    ),
    verified: Verified,
  },
  closed,
)

export const Handshake = variants(
  'form',
  'The response to requests by which the sender registers the URL. They bring no event; each has the outcome `handshake`.',
  { query: queryForm, header: headerForm, body: bodyForm, options: optionsForm },
)

export type HandshakeSettings = Static<typeof Handshake>
