import type { Static } from 'typebox'
import { Type } from '../../../lib/json/pointer.js'

const TOPIC = '^(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}$'
const POINTER = '(?:/(?:[^~/]|~[01])*)+'

export const SETTINGS = Type.Object(
  {
    topics: Type.Array(
      Type.String({
        pattern: TOPIC,
        expected: 'a topic name: letters, digits, ".", "_" and "-"',
        description: 'A topic on the cluster of the sink.',
      }),
      {
        minItems: 1,
        uniqueItems: true,
        description:
          'Topics whose records are the events. They are on the cluster of the sink, because one transaction writes the records of a batch and commits its offsets.',
      },
    ),
    id: Type.String({
      pattern: `^(?:key|place|header:.+|${POINTER})$`,
      expected: '"key", "place", "header:NAME" or a JSON Pointer such as "/id"',
      default: 'place',
      description:
        'The location of the event id: the key of the record, a header, or a place in its value. "place" makes it of topic, partition and offset: then each record is an event of its own, and no redelivery is recognised.',
    }),
    start: Type.String({
      pattern:
        '^(?:earliest|latest|\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d{1,3})?)?(?:Z|[+-]\\d\\d:\\d\\d))$',
      expected: '"earliest", "latest" or a time such as "2026-01-31T00:00:00Z"',
      default: 'earliest',
      description:
        'Where the pipeline begins when its consumer group has no offsets yet: with the oldest records, with those that come from then on, or with those since a time. Later it goes on where it was.',
    }),
    maxDepth: Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 64,
      description: 'How deeply arrays and objects in a record may be nested.',
    }),
  },
  { additionalProperties: false },
)

export type Settings = Static<typeof SETTINGS>
