import type { Static } from 'typebox'
import { Pointer, Type } from '../lib/json/pointer.js'
import { Duration } from '../lib/units.js'

/** The topic names that Kafka accepts. */
const TOPIC = '^(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}$'

const closed = { additionalProperties: false } as const

const Plugin = Type.String({
  minLength: 1,
  description:
    'The plugin: the name of a built-in one (`headgate plugins` lists them), a path such as "./plugins/mask.mjs", or an npm package with a scope or as "headgate-NAME".',
})
const PluginConfig = Type.Record(Type.String(), Type.Unknown(), {
  default: {},
  description: 'Settings of the plugin; `headgate plugins NAME` lists them.',
})
const OnError = Type.Union([Type.Literal('reject'), Type.Literal('dead-letter'), Type.Literal('drop')], {
  default: 'reject',
  expected: '"reject", "dead-letter" or "drop"',
  description:
    'What becomes of an event that fails here because of its data: answered 4xx, written to the dead-letter topic, or dropped. A fault on our side is always answered 503.',
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
      description: 'Upper bound of every wait that the sender did not ask for.',
    }),
    deadline: Duration({
      default: '24h',
      description: 'Counted from the commit; after that the acknowledgement is given up.',
    }),
  },
  {
    ...closed,
    default: {},
    description:
      'When a failed acknowledgement is tried again: with full jitter, never before the sender asks.',
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
        'Acknowledgements under way at once. With answers that take 100 ms, 128 are 1,280 acknowledgements a second.',
    }),
    rate: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: 'Acknowledgements a second at most. Without it, only the 429 of the sender slows them.',
      }),
    ),
    retry: Retry,
  },
  closed,
)

const Pipeline = Type.Object(
  {
    source: SourceStage,
    transforms: Type.Array(Stage, { default: [], description: 'Tried in order.' }),
    sink: Stage,
    postCommit: Type.Array(PostCommitStage, {
      default: [],
      description: 'Told about every event that is durable, in order, after the sender has its answer.',
    }),
    deadLetter: Type.Optional(
      Type.Object(
        {
          topic: Type.String({
            pattern: TOPIC,
            expected: 'a topic name: letters, digits, ".", "_" and "-"',
            description: 'Topic for dead letters.',
          }),
          partition: Type.Optional(
            Type.Integer({ minimum: 0, description: 'Partition; by the hash of the key where absent.' }),
          ),
        },
        { ...closed, description: 'Where events go that `onError` or a rule sends to the dead letters.' },
      ),
    ),
    redelivery: Type.Object(
      {
        window: Duration({
          default: '24h',
          description: 'How long the same event is recognised when it comes again.',
        }),
        by: Type.Union([Type.Literal('id+bytes'), Type.Literal('id')], {
          default: 'id+bytes',
          expected: '"id+bytes" or "id"',
          description:
            'Which events are the same: those with the same id and the same bytes, or all with the same id. Use "id" if the sender changes something in the body at each delivery, such as a counter of attempts, and never gives one id to two events.',
        }),
        entries: Type.Integer({
          minimum: 0,
          maximum: 100_000_000,
          default: 100_000,
          description:
            'How many events are remembered; the oldest go first. Each takes some 11 bytes of memory and 80 on disk.',
        }),
      },
      { ...closed, default: {}, description: 'Recognising events that are sent again.' },
    ),
    maxPending: Type.Integer({
      minimum: 1,
      default: 100_000,
      description:
        'Acknowledgements that may be owed to the sender; at this bound new events are answered 503.',
    }),
    slowAfter: Duration({
      default: '1s',
      description:
        'From received to its outcome: an event that takes as long is logged with its ids and the stages that took the time, ten in 10 s at most.',
    }),
    tap: Type.Object(
      {
        mask: Type.Array(
          Pointer({
            description:
              'A place in the event; `*` stands for every member or element, as in "/payload/items/*/card".',
          }),
          {
            default: [],
            maxItems: 100,
            description:
              'Places in the event whose values are not shown; `""` is all of it. Values that came from a reference are never shown.',
          },
        ),
      },
      { ...closed, default: {}, description: 'What `headgate tap` shows of the events of this pipeline.' },
    ),
  },
  closed,
)

const NamedSink = Type.Object({ plugin: Plugin, config: PluginConfig }, closed)

/** The file as a whole, with references to named sinks resolved, before the plugins have looked at their own settings. */
export const ConfigFile = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'Gives editors completion and hover texts.' })),
    sinks: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,62}$' }), NamedSink, {
        ...closed,
        expected: 'a sink name of lower-case letters, digits, ".", "_" and "-"',
        description:
          'Sinks by name, for pipelines that refer to them: `"sink": "main"`, or `"sink": { "use": "main", "config": { ... } }` with settings of the pipeline that count before those here.',
      }),
    ),
    pipelines: Type.Record(Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,62}$' }), Pipeline, {
      ...closed,
      minProperties: 1,
      expected: 'a pipeline name of lower-case letters, digits, ".", "_" and "-"',
      description: 'Pipelines by name. Names are seen in metrics, logs and record headers.',
    }),
  },
  closed,
)

export type ConfigFile = Static<typeof ConfigFile>
export type PipelineConfig = Static<typeof Pipeline>
