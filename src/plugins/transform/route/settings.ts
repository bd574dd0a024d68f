import type { Static } from 'typebox'
import { Pointer, Type } from '../../../lib/json/pointer.js'
import { Locator } from '../../../lib/locator.js'

const closed = { additionalProperties: false } as const

const Destination = Type.Union(
  [
    Type.Object(
      {
        topic: Type.String({
          pattern: '^(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}$',
          expected: 'a topic name: letters, digits, ".", "_" and "-"',
          description: 'Topic. Fixed text: nothing in an event can name a topic.',
        }),
        partition: Type.Optional(
          Type.Integer({
            minimum: 0,
            expected: 'a partition: 0 or a larger integer',
            description: 'Partition. Without it the hash of the key decides, as in the Java client.',
          }),
        ),
      },
      { ...closed, description: 'A topic, and a partition of it.' },
    ),
    Type.Literal('dead-letter', { description: 'Written to the dead-letter topic of the pipeline.' }),
    Type.Literal('reject', { description: 'The sender gets status 422.' }),
    Type.Literal('drop', { description: 'The sender gets status 200; the event is written nowhere.' }),
  ],
  {
    expected: '{"topic": ..., "partition": ...}, "dead-letter", "reject" or "drop"',
    description:
      'Where the event goes: a topic and optionally a partition, or "dead-letter", "reject" or "drop".',
  },
)

const When = Type.Object(
  {
    regex: Type.Optional(
      Type.String({
        expected: 'a regular expression in RE2 syntax',
        description:
          'Regular expression (RE2 syntax: linear time, no look-around, no back-references). It is looked for anywhere in the payload as compact JSON, or in the value at `at`.',
      }),
    ),
    at: Type.Optional(
      Locator({
        description:
          'Place in the event that `regex` looks at instead of the payload: text as it is, a number as it was sent, anything else as compact JSON. `header:NAME`, `query:NAME`, `path` and `method` are parts of the request. Where there is nothing, the rule does not match.',
      }),
    ),
    flags: Type.Optional(
      Type.String({
        pattern: '^[ims]{1,3}$',
        expected: 'letters of "i", "m" and "s"',
        description: 'Of `regex`: i ignores case, m lets ^ and $ match at lines, s lets . match line ends.',
      }),
    ),
    jsonata: Type.Optional(
      Type.String({
        minLength: 1,
        expected: 'a JSONata expression such as "payload.region = \'eu-west\'"',
        description:
          'JSONata expression over the whole event; the rule matches where $boolean() of its result is true. `$headers."NAME"`, `$query.NAME`, `$path` and `$method` are parts of the request. With `regex`, both must match.',
      }),
    ),
  },
  { ...closed, description: 'When the rule matches: `regex`, `jsonata`, or both.' },
)

export const RouteSettings = Type.Object(
  {
    rules: Type.Array(
      Type.Object(
        {
          name: Type.String({
            pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
            expected: 'a name of lower-case letters, digits, ".", "_" and "-"',
            description: 'Name of the rule in metrics, logs and the record header headgate-route.',
          }),
          when: When,
          to: Destination,
        },
        closed,
      ),
      { description: 'Evaluated in order; the first rule that matches decides.' },
    ),
    otherwise: Destination,
    payload: Pointer({
      default: '/payload',
      description:
        'The part of the event that is matched by a regex without `at`, as compact JSON; empty text where there is none.',
    }),
  },
  closed,
)

export type RouteSettings = Static<typeof RouteSettings>
export type When = Static<typeof When>
export type Destination = Static<typeof Destination>
