import type { Static } from 'typebox'
import { Pointer, Type } from '../lib/json/pointer.js'
import { Duration } from '../lib/units.js'

/** A setting that is the name of a topic, as Kafka accepts them. */
export const TopicName = (description: string) =>
  Type.String({
    pattern: '^(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}$',
    expected: 'a topic name: letters, digits, ".", "_" and "-"',
    description,
  })

const closed = { additionalProperties: false } as const

const Plugin = Type.String({
  minLength: 1,
  description:
    'The plugin: the name of a built-in plugin (`headgate plugins` lists them), a path such as "./plugins/mask.mjs", or an npm package with a scope or a name such as "headgate-NAME".',
})
const PluginConfig = Type.Record(Type.String(), Type.Unknown(), {
  default: {},
  description: 'Settings of the plugin; `headgate plugins NAME` lists them.',
})
const OnError = Type.Union([Type.Literal('reject'), Type.Literal('dead-letter'), Type.Literal('drop')], {
  default: 'reject',
  expected: '"reject", "dead-letter" or "drop"',
  description:
    'If an event fails here because of its data: reject it with a 4xx response, write it to the dead-letter topic, or drop it. If Headgate or Kafka fails, the response is always 503.',
})

const SourceStage = Type.Object({ plugin: Plugin, config: PluginConfig }, closed)
const Stage = Type.Object({ plugin: Plugin, config: PluginConfig, onError: OnError }, closed)

const Retry = Type.Object(
  {
    initial: Duration({
      default: '500ms',
      description: 'Upper bound of the first wait; it doubles with every attempt.',
    }),
    max: Duration({
      default: '60s',
      description: 'Upper bound of every wait, unless the sender asks for a longer one.',
    }),
    deadline: Duration({
      default: '24h',
      description:
        'Time since the commit after which Headgate stops retrying: the acknowledgement has failed.',
    }),
  },
  {
    ...closed,
    default: {},
    description:
      'When Headgate retries an acknowledgement: with full jitter, and never earlier than the sender allows.',
  },
)

const PostCommitStage = Type.Object(
  {
    plugin: Plugin,
    config: PluginConfig,
    concurrency: Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 128,
      description:
        'Acknowledge calls in flight at once. With responses that take 100 ms, 128 calls in flight are 1,280 acknowledgements a second.',
    }),
    rate: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          'Acknowledgements a second at most. Without it, only a 429 response of the sender slows them down.',
      }),
    ),
    retry: Retry,
  },
  closed,
)

const Pipeline = Type.Object(
  {
    source: SourceStage,
    transforms: Type.Array(Stage, { default: [], description: 'They run in this order.' }),
    sink: Stage,
    postCommit: Type.Array(PostCommitStage, {
      default: [],
      description: 'They run in this order for each durable event, after the response to the sender.',
    }),
    deadLetter: Type.Optional(
      Type.Object(
        {
          topic: TopicName('Topic for dead letters.'),
          partition: Type.Optional(
            Type.Integer({
              minimum: 0,
              description: 'Partition. Without it, the hash of the key decides.',
            }),
          ),
        },
        {
          ...closed,
          description: 'Target of the events that `onError` or a rule sends to the dead letters.',
        },
      ),
    ),
    inbox: Type.Optional(
      Type.Object(
        {
          topic: TopicName('Topic of the inbox, which no other pipeline or program uses.'),
        },
        {
          ...closed,
          description:
            'A topic in which events are durable before they are worked off. With it, any number of instances run the pipeline: each takes events in, and they share the partitions of the inbox. Senders get `accepted` with the place in the inbox.',
        },
      ),
    ),
    redelivery: Type.Object(
      {
        window: Duration({
          default: '24h',
          description: 'How long Headgate recognises an event that the sender sends again.',
        }),
        by: Type.Union([Type.Literal('id+bytes'), Type.Literal('id')], {
          default: 'id+bytes',
          expected: '"id+bytes" or "id"',
          description:
            'Which events are the same: those with the same id and the same bytes, or all with the same id. Use "id" if the sender changes the body at each delivery, for example a counter of attempts, and never uses one id for two events.',
        }),
        entries: Type.Integer({
          minimum: 0,
          maximum: 100_000_000,
          default: 100_000,
          description:
            'How many events Headgate remembers; it drops the oldest first. Each takes some 11 bytes of memory and 80 on disk.',
        }),
      },
      { ...closed, default: {}, description: 'How Headgate recognises events that the sender sends again.' },
    ),
    maxPending: Type.Integer({
      minimum: 1,
      default: 100_000,
      description:
        'The most acknowledgements that may be pending; at this bound the response to new events is 503.',
    }),
    slowAfter: Duration({
      default: '1s',
      description:
        'An event that takes this long from its arrival to its outcome is logged with its ids and the stages that took the time, at most ten in 10 s.',
    }),
    tap: Type.Object(
      {
        mask: Type.Array(
          Pointer({
            description:
              'JSON Pointer of a place in the event; `*` stands for every member or element, as in "/payload/items/*/card".',
          }),
          {
            default: [],
            maxItems: 100,
            description:
              'Places in the event whose values are not shown; `""` is the whole event. Values that came from a reference are never shown.',
          },
        ),
      },
      {
        ...closed,
        default: {},
        description: 'Settings for `headgate tap`, which shows events of this pipeline.',
      },
    ),
  },
  closed,
)

const NamedSink = Type.Object({ plugin: Plugin, config: PluginConfig }, closed)

/** The whole file, with references to named sinks resolved. The plugins check their own settings afterwards. */
export const ConfigFile = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'Gives editors completion and hover texts.' })),
    sinks: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,62}$' }), NamedSink, {
        ...closed,
        expected: 'a sink name of lower-case letters, digits, ".", "_" and "-"',
        description:
          'Sinks by name, for pipelines that refer to them: `"sink": "main"`, or `"sink": { "use": "main", "config": { ... } }` with settings of the pipeline, which override those here.',
      }),
    ),
    pipelines: Type.Record(Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,62}$' }), Pipeline, {
      ...closed,
      minProperties: 1,
      expected: 'a pipeline name of lower-case letters, digits, ".", "_" and "-"',
      description: 'Pipelines by name. The names appear in metrics, logs and record headers.',
    }),
  },
  closed,
)

export type ConfigFile = Static<typeof ConfigFile>
export type PipelineConfig = Static<typeof Pipeline>
