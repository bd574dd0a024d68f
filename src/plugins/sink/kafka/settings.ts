import { Pointer, Type } from '../../../lib/json/pointer.js'
import { HEADER_PATTERN, Locator, QUERY_PATTERN } from '../../../lib/locator.js'
import { DEFAULTS } from './properties.js'

const HOST_PORT = '(?:[A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}'

export const SETTINGS = Type.Object(
  {
    brokers: Type.String({
      description: 'Bootstrap addresses of the cluster, as "host:port", separated by commas.',
      pattern: `^${HOST_PORT}(?: *, *${HOST_PORT})*$`,
      expected: 'addresses such as "kafka-1:9092,kafka-2:9092"',
    }),
    key: Type.Optional(
      Locator({
        description:
          'Where in the event the key of its record is: a string as its text, anything else as its JSON. JSON null means that the record has no key. `header:NAME`, `query:NAME`, `path` and `method` are parts of the request. Without this setting, no record has one.',
      }),
    ),
    keyFallback: Type.String({
      description:
        'Used if an event has nothing at `key`: "refuse" (the event is a data error), "none" (its record has no key), or another place, such as "/accountId" or "header:X-Account", from which the key is then taken.',
      pattern: `^(?:refuse|none|path|method|${HEADER_PATTERN}|${QUERY_PATTERN}|(?:/(?:[^~/]|~[01])*)+)$`,
      expected: '"refuse", "none", or a place such as "/accountId" or "header:NAME"',
      default: 'refuse',
    }),
    value: Pointer({
      description: 'Where in the event the value of its record is, byte for byte; "" is the whole body.',
      default: '',
    }),
    headers: Type.Record(
      Type.String({ minLength: 1 }),
      Locator({ description: 'Where in the event the header is.' }),
      {
        description:
          'Record headers by name: a string as its text, anything else as its JSON. A header that the event lacks is left out. `header:NAME`, `query:NAME`, `path` and `method` are parts of the request.',
        default: { 'event-type': '/eventType', 'event-timestamp': '/timestamp' },
      },
    ),
    properties: Type.Record(
      Type.String(),
      Type.Unsafe<string | number | boolean>({
        type: ['string', 'number', 'boolean'],
        expected: 'a string, a number or a boolean',
      }),
      {
        description: `Any producer property of librdkafka, for instance for TLS and SASL. Properties on which the guarantees rest (acks, idempotence, order) cannot be changed. Defaults: ${describeDefaults()}, and with TLS the certificates that the system trusts. batch.size should stay below max.message.bytes of every topic: if a broker rejects a batch for its size, the sink sends its records again in smaller batches.`,
        secretNames: 'password|secret|passphrase|key\\.pem$|oauthbearer\\.config',
        default: {},
      },
    ),
  },
  { additionalProperties: false },
)

function describeDefaults(): string {
  return Object.entries(DEFAULTS)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
}
