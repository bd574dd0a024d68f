import { randomBytes } from 'node:crypto'
import { SENDERS as PRESETS } from '../../plugins/source/http-webhook/senders/index.js'
import type { Sender as Preset, SampleEvent } from '../../plugins/source/http-webhook/senders/sender.js'
import { writtenSettings } from '../../plugins/source/http-webhook/senders/written-settings.js'
import { senderKey } from '../../plugins/source/http-webhook/simulated-sender/key.js'

/** The settings of a new config, by the names of their questions. */
export interface Answers {
  readonly sender: Sender
  readonly topic: string
  readonly deadLetterTopic: string
  readonly brokers: string
  readonly path: string
  /** As the flag has it: a JSON Pointer, "header:NAME" and so on. Absent if the sender itself says where its id is. */
  readonly eventId?: string
  readonly signatureHeader: string
  readonly publicUrl: string
}

export type QuestionName = Exclude<keyof Answers, 'sender'>

/** An environment variable that the config refers to. */
export interface Variable {
  readonly name: string
  readonly meaning: string
  /** A value for `.env.example`; empty for a secret. */
  readonly example: string
  /** Of a value that verifies the sender; other variables are as in the example until somebody fills them in. */
  readonly secret?: {
    generate(): string
    /** For scenarios, which are no place for the real one. */
    sample(): string
    /** Only the sender can make it: a new one holds its place. */
    readonly fromSender?: true
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
  /** True if the settings of the source say where the event id is: it is not asked, and its flag overrides them. */
  readonly hasEventId?: true
  /** Settings of the source beside its path and event id. */
  source(answers: Answers): object
  readonly variables: readonly Variable[]
  /** `redelivery.by` of the pipeline, if it is not the default. */
  readonly redelivery?: 'id'
  readonly postCommit?: readonly object[]
  readonly event: SampleEvent
  /** Members beside the event id that the schema of the events requires, with their JSON Schemas. */
  readonly required?: { readonly [name: string]: object }
}

const random = (): string => randomBytes(32).toString('hex')

const TOKEN: Variable = {
  name: 'WEBHOOK_TOKEN',
  meaning: 'The bearer token of the sender; any text without white space.',
  example: '',
  secret: { generate: random, sample: () => 'token-of-the-scenarios' },
}

const SIGNING_SECRET: Variable = {
  name: 'WEBHOOK_SECRET',
  meaning: 'The secret with which the sender signs.',
  example: '',
  secret: { generate: random, sample: () => 'secret-of-the-scenarios' },
}

const VERIFY_TOKEN = {
  meaning: 'The token with which the sender registers the URL, a text of your own.',
  example: '',
  secret: { generate: random, sample: () => 'token-of-the-scenarios' },
}

const byToken = () => ({ verify: { scheme: 'bearer', tokens: ['${env:WEBHOOK_TOKEN}'] } })

const EVENT: SampleEvent = { body: { type: 'example.created', payload: { region: 'eu-west' } } }

/** Senders that Headgate does not know by name, and one that needs more than a source. */
const GENERAL: readonly Sender[] = [
  {
    name: 'bearer',
    summary: 'any sender that posts JSON with a bearer token',
    source: byToken,
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
  },
  {
    name: 'cxone',
    summary: 'NICE CXone: Data Actions with a bearer token, acknowledged by a call of its API',
    defaults: {
      topic: 'cxone.data.actions',
      path: '/webhook/cxone/data-actions',
      eventId: '/dataActionId',
    },
    source: byToken,
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
      body: {
        eventType: 'DataActionCreated',
        timestamp: '2026-01-31T12:00:00Z',
        payload: { priority: 'normal', region: 'eu-west' },
      },
    },
    required: {
      eventType: { type: 'string', minLength: 1 },
      timestamp: { type: 'string', format: 'date-time' },
      payload: { type: 'object' },
    },
  },
]

/** The row of a sender that the source knows by name. */
function ofPreset(preset: Preset): Sender {
  const { name, title, settings, secret: meaning, needs = {}, redelivery, event } = preset
  const verify = settings['verify'] as Parameters<typeof senderKey>[0]
  const { secret, token } = writtenSettings(preset)
  const asksId = 'eventId' in needs
  const key: Variable = {
    name: secret,
    meaning,
    example: '',
    secret: {
      generate: () => senderKey(verify, random()).configured,
      sample: () => senderKey(verify, 'secret-of-the-scenarios').configured,
      ...(preset.secrets.includes('/verify/publicKeys') && { fromSender: true as const }),
    },
  }
  return {
    name,
    summary: title,
    defaults: { topic: name, ...(asksId && event.differsAt !== undefined && { eventId: event.differsAt }) },
    asks: 'publicUrl' in needs ? ['publicUrl'] : [],
    ...(!asksId && { hasEventId: true }),
    source: ({ publicUrl }) => writtenSettings(preset, publicUrl).settings,
    variables: [key, ...(token === undefined ? [] : [{ ...VERIFY_TOKEN, name: token }])],
    ...(redelivery !== undefined && { redelivery }),
    event,
  }
}

/** In the order in which they are offered. */
export const SENDERS: readonly Sender[] = [...GENERAL, ...PRESETS.map(ofPreset)]
