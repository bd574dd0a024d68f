import { createHmac, randomBytes } from 'node:crypto'

/** The settings of a new config, by the names of their questions. */
export interface Answers {
  readonly sender: Sender
  readonly topic: string
  readonly deadLetterTopic: string
  readonly brokers: string
  readonly path: string
  /** As the flag has it: a JSON Pointer, or "header:NAME". */
  readonly eventId: string
  readonly signatureHeader: string
}

export type QuestionName = Exclude<keyof Answers, 'sender'>

/** An environment variable that the config refers to. */
export interface Variable {
  readonly name: string
  readonly meaning: string
  /** A value for `.env.example`; empty for a secret. */
  readonly example: string
  /** Of a secret that verifies the sender; other variables are as in the example until somebody fills them in. */
  readonly secret?: {
    generate(): string
    /** For scenarios, which are no place for the real one. */
    readonly sample: string
  }
}

/** A sender that `headgate init` can write a config for. Everything that is special about one stands in its row of `SENDERS`. */
export interface Sender {
  readonly name: string
  readonly summary: string
  /** Offered instead of the defaults of the questions. */
  readonly defaults?: { readonly [name in QuestionName]?: string }
  /** Questions that only this sender needs. */
  readonly asks?: readonly QuestionName[]
  /** Settings of the source beside its path and event id. */
  source(answers: Answers): object
  readonly variables: readonly Variable[]
  readonly postCommit?: readonly object[]
  /** A body without its event id. */
  readonly event: object
  /** Members beside the event id that the schema of the events requires, with their JSON Schemas. */
  readonly required?: { readonly [name: string]: object }
  /** Headers that prove this sender of `body`, if they do not depend on the time. */
  proof?(body: string, secret: string, answers: Answers): { readonly [name: string]: string }
  /** The same headers as words of a shell in which the variables are set. `file`: the body. */
  shellProof?(answers: Answers, file: string): readonly string[]
}

const random = (): string => randomBytes(32).toString('hex')

const TOKEN: Variable = {
  name: 'WEBHOOK_TOKEN',
  meaning: 'The bearer token of the sender; any text without white space.',
  example: '',
  secret: { generate: random, sample: 'token-of-the-scenarios' },
}

const SIGNING_SECRET: Variable = {
  name: 'WEBHOOK_SECRET',
  meaning: 'The secret with which the sender signs.',
  example: '',
  secret: { generate: random, sample: 'secret-of-the-scenarios' },
}

const bearer = {
  source: () => ({ verify: { scheme: 'bearer', tokens: ['${env:WEBHOOK_TOKEN}'] } }),
  proof: (_body, token) => ({ authorization: `Bearer ${token}` }),
  shellProof: () => ['-H "Authorization: Bearer $WEBHOOK_TOKEN"'],
} satisfies Partial<Sender>

const EVENT = { type: 'example.created', payload: { region: 'eu-west' } }

/** In the order in which they are offered. */
export const SENDERS: readonly Sender[] = [
  {
    name: 'bearer',
    summary: 'any sender that posts JSON with a bearer token',
    ...bearer,
    variables: [TOKEN],
    event: EVENT,
  },
  {
    name: 'hmac',
    summary: 'any sender that signs JSON with HMAC-SHA256 in hex, as GitHub does',
    asks: ['signatureHeader'],
    source: ({ signatureHeader }) => ({
      verify: {
        scheme: 'hmac',
        header: signatureHeader,
        prefix: 'sha256=',
        secrets: ['${env:WEBHOOK_SECRET}'],
      },
    }),
    variables: [SIGNING_SECRET],
    event: EVENT,
    proof: (body, key, { signatureHeader }) => ({
      [signatureHeader]: `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
    }),
    shellProof: ({ signatureHeader }, file) => [
      `-H "${signatureHeader}: sha256=$(openssl dgst -sha256 -hmac "$WEBHOOK_SECRET" -r < ${file} | cut -d ' ' -f 1)"`,
    ],
  },
  {
    name: 'standard-webhooks',
    summary: 'any sender that follows Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature)',
    defaults: { eventId: 'header:webhook-id' },
    source: () => ({ verify: { scheme: 'standard-webhooks', secrets: ['${env:WEBHOOK_SECRET}'] } }),
    variables: [
      {
        name: 'WEBHOOK_SECRET',
        meaning: 'The secret with which the sender signs, as the sender shows it: "whsec_" and base64.',
        example: '',
        secret: {
          generate: () => `whsec_${randomBytes(32).toString('base64')}`,
          sample: 'whsec_c2VjcmV0LW9mLXRoZS1zY2VuYXJpb3M=',
        },
      },
    ],
    event: EVENT,
  },
  {
    name: 'cxone',
    summary: 'NICE CXone: Data Actions with a bearer token, acknowledged by a call of its API',
    defaults: {
      topic: 'cxone.data.actions',
      path: '/webhook/cxone/data-actions',
      eventId: '/dataActionId',
    },
    ...bearer,
    variables: [
      TOKEN,
      {
        name: 'CXONE_BASE_URL',
        meaning: 'Base URL of the CXone API of your tenant.',
        example: 'https://cxone.example.com',
      },
      { name: 'CXONE_CLIENT_ID', meaning: 'Client id of the OAuth client.', example: 'your-client-id' },
      {
        name: 'CXONE_CLIENT_SECRET',
        meaning: 'Client secret of the OAuth client.',
        example: 'your-client-secret',
      },
    ],
    postCommit: [
      {
        plugin: 'cxone-ack',
        config: {
          baseUrl: '${env:CXONE_BASE_URL}',
          clientId: '${env:CXONE_CLIENT_ID}',
          clientSecret: '${env:CXONE_CLIENT_SECRET}',
        },
      },
    ],
    event: {
      eventType: 'DataActionCreated',
      timestamp: '2026-01-31T12:00:00Z',
      payload: { priority: 'normal', region: 'eu-west' },
    },
    required: {
      eventType: { type: 'string', minLength: 1 },
      timestamp: { type: 'string', format: 'date-time' },
      payload: { type: 'object' },
    },
  },
]
