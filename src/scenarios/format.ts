import type { Static } from 'typebox'
import { ERRORS, type ErrorCode } from '../contract/errors.js'
import { OUTCOMES } from '../contract/index.js'
import { Pointer, Type } from '../lib/json/pointer.js'

/** None of them sees another, so none is a duplicate. */
const EXPECTED_OUTCOMES = OUTCOMES.filter((outcome) => outcome !== 'duplicate')

const closed = { additionalProperties: false } as const

/** Codes that an event can meet on its way. */
export const EVENT_CODES = (Object.keys(ERRORS) as ErrorCode[]).filter(
  (code) => ERRORS[code].status !== undefined,
)

const Topic = (description: string) => Type.String({ minLength: 1, description })
const Stage = (description: string) =>
  Type.String({ minLength: 1, expected: 'a stage such as "transform.0.json-schema"', description })

const Headers = (description: string) =>
  Type.Record(
    Type.String(),
    Type.Unsafe<string | null>({
      type: ['string', 'null'],
      expected: 'text, or null where the header must not be there',
    }),
    { minProperties: 1, description },
  )

const Answer = Type.Object(
  {
    status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599, description: 'HTTP status.' })),
    body: Type.Optional(
      Type.Unknown({ description: 'JSON; members of the answer that are not named are not looked at.' }),
    ),
  },
  { ...closed, minProperties: 1, description: 'What the sender is answered.' },
)

const DeadLetter = Type.Object(
  {
    topic: Type.Optional(Topic('The topic of the dead letters.')),
    stage: Type.Optional(Stage('The stage that turned the event away.')),
  },
  { ...closed, minProperties: 1, description: 'Where the dead letter is, and which stage made it.' },
)

const Acknowledge = Type.Object(
  {
    method: Type.Optional(Type.String({ minLength: 1, description: 'HTTP method.' })),
    url: Type.Optional(Type.String({ minLength: 1, description: 'The whole URL.' })),
    body: Type.Optional(
      Type.Unknown({
        description: 'The whole body: JSON, or text where the body of the request is not JSON.',
      }),
    ),
  },
  { ...closed, minProperties: 1, description: 'The request that tells the sender.' },
)

const Expect = Type.Object(
  {
    answer: Type.Optional(Answer),
    outcome: Type.Optional(Type.Enum(EXPECTED_OUTCOMES, { description: 'How the path of the event ends.' })),
    code: Type.Optional(
      Type.String({
        examples: EVENT_CODES.filter((code) => ERRORS[code].kind === 'data'),
        description:
          'Why the event was refused or became a dead letter; `headgate help errors` lists the codes.',
      }),
    ),
    violations: Type.Optional(
      Type.Array(Pointer({ description: 'A place in the event.' }), {
        uniqueItems: true,
        description: 'Where the event is wrong: all of the places, in any order.',
      }),
    ),
    route: Type.Optional(
      Type.String({ minLength: 1, description: 'The rule that decided, or "otherwise".' }),
    ),
    topic: Type.Optional(Topic('Topic of the record.')),
    partition: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0 }), Type.Literal('by key')], {
        expected: 'a partition, or "by key"',
        description: 'Partition of the record; "by key" where the target names none and the key decides.',
      }),
    ),
    key: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        expected: 'text, or null where the record must have no key',
        description: 'Key of the record.',
      }),
    ),
    headers: Type.Optional(
      Headers('Headers of the record by name; null where the record must not have the header.'),
    ),
    value: Type.Optional(
      Type.Unknown({
        description:
          'Value of the record as JSON, all of it; white space and the order of keys do not count. Or a string: the exact text.',
      }),
    ),
    deadLetter: Type.Optional(
      Type.Union([Type.Boolean(), DeadLetter], {
        expected: 'true, false or {"topic": ..., "stage": ...}',
        description: 'Whether the record is a dead letter. The other expectations then look at it.',
      }),
    ),
    acknowledge: Type.Optional(
      Type.Union([Type.Boolean(), Acknowledge], {
        expected: 'true, false or {"method": ..., "url": ..., "body": ...}',
        description: 'The request that acknowledges the event to its sender; false where there must be none.',
      }),
    ),
  },
  {
    ...closed,
    minProperties: 1,
    description: 'What must come of the event. What is not named is not looked at.',
  },
)

const Scenario = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'A sentence about the event and what becomes of it.' }),
    pipeline: Type.Optional(
      Type.String({ description: 'The pipeline that gets the event, if not the one of the file.' }),
    ),
    event: Type.Optional(
      Type.Unknown({
        description:
          'The event as JSON. Numbers and strings are sent as they are written here; comments and white space are not sent.',
      }),
    ),
    file: Type.Optional(
      Type.String({
        format: 'path',
        description: 'A file with the body, byte for byte; relative to this file.',
      }),
    ),
    text: Type.Optional(Type.String({ description: 'The body as text, for what is not JSON.' })),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Request headers. Content-Type is application/json unless it is given.',
      }),
    ),
    verify: Type.Optional(
      Type.Boolean({
        description:
          'True where the sender has to prove who it is, by `headers`. Otherwise its verification is skipped.',
      }),
    ),
    expect: Expect,
  },
  closed,
)

/** A file of scenarios: its validation, types, docs and editor schema. */
export const ScenarioFile = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'Gives editors completion and hover texts.' })),
    pipeline: Type.Optional(
      Type.String({ description: 'The pipeline that gets the events; the only one where absent.' }),
    ),
    environment: Type.Optional(
      Type.Record(Type.String({ minLength: 1 }), Type.String(), {
        description:
          'What ${env:NAME} stands for in the config while these scenarios run, before the environment of the process.',
      }),
    ),
    scenarios: Type.Array(Scenario, {
      minItems: 1,
      description: 'Each gets a new start: none sees another.',
    }),
  },
  closed,
)

export type ScenarioFile = Static<typeof ScenarioFile>
export type ScenarioSettings = Static<typeof Scenario>
export type Expect = Static<typeof Expect>

/** The JSON Schema of scenario files for editors: the declaration that validates them. */
export function scenarioSchema(): object {
  const { properties, ...file } = ScenarioFile
  const { scenarios } = properties
  const oneBody = ['event', 'file', 'text'].map((name) => ({ required: [name] }))
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Headgate: scenarios',
    allowComments: true,
    allowTrailingCommas: true,
    ...file,
    properties: { ...properties, scenarios: { ...scenarios, items: { ...scenarios.items, oneOf: oneBody } } },
  }
}
