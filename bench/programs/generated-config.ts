/** The kinds of rules, as the tables name them. */
export const RULE_KINDS = [
  'regex at a field',
  'field equals text',
  'JSONata equality',
  'regex over the payload',
  'other JSONata',
] as const
export type RuleKind = (typeof RULE_KINDS)[number]

interface GeneratedConfig {
  readonly pipelines: { readonly [name: string]: object }
}

/** Rules number n is for events of kind n. */
const conditionOf: { readonly [kind in RuleKind]: (n: number) => object } = {
  'regex at a field': (n) => ({ regex: `^[a-z]+-0*${n}$`, at: '/payload/kind' }),
  'field equals text': (n) => ({ regex: `^kind-${n}$`, at: '/payload/kind' }),
  'JSONata equality': (n) => ({ jsonata: `payload.kind = 'kind-${n}'` }),
  'regex over the payload': (n) => ({ regex: `"kind"\\s*:\\s*"kind-${n}"` }),
  'other JSONata': (n) => ({ jsonata: `$lowercase(payload.kind) = 'kind-${n}'` }),
}

/** The events of a config with so many rules: only the last rule matches them, so that every rule is evaluated. */
export const payloadFor = (rules: number): string => `"kind":"kind-${rules}"`

export const pathOf = (pipeline: number): string => `/webhook/${pipeline}`

/** The config of the benchmark with more rules or more pipelines. */
export function generateConfig(options: {
  readonly pipelines: number
  readonly rules: number
  readonly kind: RuleKind
  /** Absolute path. */
  readonly schema: string
  /** The topic of all events; they go to its first partition. */
  readonly topic: string
}): GeneratedConfig {
  const { pipelines, rules, kind, schema, topic } = options
  const to = { topic, partition: 0 }
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
  const pipeline = (number: number) => ({
    source: {
      plugin: 'http-webhook',
      config: {
        path: pathOf(number),
        eventId: '/dataActionId',
        maxBody: '2MiB',
        verify: { scheme: 'bearer', tokens: ['${env:WEBHOOK_TOKEN}'] },
      },
    },
    transforms: [
      { plugin: 'json-schema', config: { schema } },
      {
        plugin: 'route',
        config: {
          rules: numbers(rules).map((n) => ({ name: `rule-${n}`, when: conditionOf[kind](n), to })),
          otherwise: to,
        },
      },
    ],
    sink: {
      plugin: 'kafka',
      config: {
        brokers: '${env:KAFKA_BROKERS}',
        key: '/dataActionId',
        value: '/payload',
        properties: { 'message.max.bytes': 2 ** 21 },
      },
    },
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
    deadLetter: { topic: 'cxone.data.actions.dlq' },
  })
  return {
    pipelines: Object.fromEntries(numbers(pipelines).map((number) => [`bench-${number}`, pipeline(number)])),
  }
}
