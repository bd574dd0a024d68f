import { HeadgateError } from '../../../contract/errors.js'
import { definePlugin, type Target } from '../../../contract/index.js'
import { child, Pointer, Type } from '../../../lib/json/pointer.js'
import { clientKey, createClusterClient } from './cluster-client.js'
import { codecFindings, LINTS, lint } from './lint.js'
import { lints } from './probe/lints.js'
import { probe } from './probe/probe.js'
import { DEFAULTS, propertyProblems } from './properties.js'
import { rebuilder } from './rebuild.js'
import { recordMaker } from './record.js'
import { createRecordLog } from './record-log.js'
import { CLIENT_METRICS } from './statistics.js'
import { openTopicAdmin } from './topic-admin.js'
import type { TopicIds } from './topic-ids.js'
import { trial } from './trial.js'

const HOST_PORT = '(?:[A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}'
const OWN_HEADERS = 'headgate-'

const config = Type.Object(
  {
    brokers: Type.String({
      description: 'Addresses at which the cluster is first asked, as "host:port", separated by commas.',
      pattern: `^${HOST_PORT}(?: *, *${HOST_PORT})*$`,
      expected: 'addresses such as "kafka-1:9092,kafka-2:9092"',
    }),
    key: Type.Optional(
      Pointer({
        description:
          'Where in the event the key of its record is: a string as its text, anything else as its JSON. JSON null means that the record has no key. Without this setting, no record has one.',
      }),
    ),
    keyFallback: Type.String({
      description:
        'Used if an event has nothing at `key`: "refuse" (the event is a data error), "none" (its record has no key), or another place, such as "/accountId", from which the key is then taken.',
      pattern: '^(?:refuse|none|(?:/(?:[^~/]|~[01])*)+)$',
      expected: '"refuse", "none" or a JSON Pointer such as "/accountId"',
      default: 'refuse',
    }),
    value: Pointer({
      description: 'Where in the event the value of its record is, byte for byte; "" is the whole body.',
      default: '',
    }),
    headers: Type.Record(
      Type.String({ minLength: 1 }),
      Pointer({ description: 'Where in the event the header is.' }),
      {
        description:
          'Record headers by name: a string as its text, anything else as its JSON. What an event lacks is left out.',
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
        description: `Any producer property of librdkafka, for instance for TLS and SASL. What the guarantees rest on (acks, idempotence, order) cannot be changed. Set unless given here: ${describeDefaults()}, and with TLS the certificates that the system trusts. batch.size should stay below max.message.bytes of every topic: of a batch that a broker refuses, the records are sent again in smaller ones.`,
        secretNames: 'password|secret|passphrase|key\\.pem$|oauthbearer\\.config',
        default: {},
      },
    ),
  },
  { additionalProperties: false },
)

export const kafkaSink = definePlugin({
  kind: 'sink',
  name: 'kafka',
  summary: 'Writes records to Kafka, idempotently and confirmed by all in-sync replicas.',
  config,
  metrics: CLIENT_METRICS,
  *check({ headers, properties }, { clientCode }) {
    yield* propertyProblems(properties, clientCode)
    for (const name of Object.keys(headers).filter((name) => name.toLowerCase().startsWith(OWN_HEADERS))) {
      const message = `Headers that start with ${OWN_HEADERS} are set by Headgate itself.`
      yield { at: child('/headers', name), code: 'HG_CONFIG_CONFLICT', message, expected: 'another name' }
    }
  },
  trial,
  lints: { ...LINTS, ...lints },
  lint,
  probe,
  topics: { cluster: clientKey, open: openTopicAdmin },
  create(settings, { pipeline, log, share }) {
    const group = `headgate.${pipeline}`
    const { thing: client, release } = share(clientKey(settings), (context) =>
      createClusterClient(settings, context, group),
    )
    const connection = client.connection(log)
    const { notReady, check, send } = connection
    const { record, key, headers } = recordMaker(settings)
    let targets: readonly Target[] = []
    const { connect, close, ...recordLog } = createRecordLog({
      targets: () => targets,
      fence: connection.fence,
      group,
      reader: client.reader,
    })
    const stop = async (): Promise<void> => {
      connection.leave()
      // What is being read uses clients of the shared one.
      await close()
      await release()
    }
    return {
      expect(placed) {
        targets = placed.map(({ target }) => target)
        connection.expect(placed)
      },
      async start() {
        for (const { message, suggestion } of codecFindings()) log.warn({}, `${message} ${suggestion}`)
        // The ledger asks as soon as the producer has its first answer.
        connect()
        try {
          await connection.start()
        } catch (error) {
          await stop()
          throw error
        }
      },
      stop,
      notReady,
      check,
      send,
      record,
      key,
      headers,
      rebuild: rebuilder(settings),
      log: { ...recordLog, identify: (topics) => identify(client.topicIds, topics, targets) },
    }
  },
})

async function identify(
  ids: Pick<TopicIds, 'identify'>,
  topics: readonly string[],
  targets: readonly Target[],
) {
  const identities = await ids.identify(topics)
  const missing = targets.find(({ topic }) => topics.includes(topic) && identities?.has(topic) === false)
  if (missing === undefined) return identities
  throw new HeadgateError('HG_KAFKA_TOPIC_MISSING', `Topic "${missing.topic}" does not exist.`)
}

function describeDefaults(): string {
  return Object.entries(DEFAULTS)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
}
