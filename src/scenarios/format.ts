import type { Static } from 'typebox'
import { ERRORS, type ErrorCode } from '../contract/errors.js'
import { OUTCOMES } from '../contract/index.js'
import { Pointer, Type } from '../lib/json/pointer.js'

/** Scenarios are independent, so none is a duplicate. */
/** A scenario has neither events before it nor an inbox. */
const EXPECTED_OUTCOMES = OUTCOMES.filter(
  (outcome) => !['duplicate', 'accepted', 'limited'].includes(outcome),
)

const closed = { additionalProperties: false } as const

/** Codes with which an event can be refused or become a dead letter. */
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
      expected: 'text, or null if the header must be absent',
    }),
    { minProperties: 1, description },
  )

const ExpectedResponse = Type.Object(
  {
    status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599, description: 'HTTP status.' })),
    headers: Type.Optional(
      Headers('Headers of the response by name; null if the response must not have the header.'),
    ),
    body: Type.Optional(
      Type.Unknown({
        description:
          'JSON, of which only the members that are listed here are compared; or the text of a body that is not JSON.',
      }),
    ),
  },
  { ...closed, minProperties: 1, description: 'The response that the sender gets.' },
)

const DeadLetter = Type.Object(
  {
    topic: Type.Optional(Topic('The topic of the dead letters.')),
    stage: Type.Optional(Stage('The stage that made the dead letter.')),
  },
  { ...closed, minProperties: 1, description: 'The topic of the dead letter, and the stage that made it.' },
)

const Acknowledge = Type.Object(
  {
    method: Type.Optional(Type.String({ minLength: 1, description: 'HTTP method.' })),
    url: Type.Optional(Type.String({ minLength: 1, description: 'The whole URL.' })),
    body: Type.Optional(
      Type.Unknown({
        description: 'The whole body: JSON, or text if the body of the request is not JSON.',
      }),
    ),
  },
  { ...closed, minProperties: 1, description: 'The request that acknowledges the event to its sender.' },
)

/** The expectations on one event. */
const EVENT = {
  outcome: Type.Optional(Type.Enum(EXPECTED_OUTCOMES, { description: 'The outcome of the event.' })),
  code: Type.Optional(
    Type.String({
      examples: EVENT_CODES.filter((code) => ERRORS[code].kind === 'data'),
      description:
        'Why the event was refused or became a dead letter; `headgate help errors` lists the codes.',
    }),
  ),
  violations: Type.Optional(
    Type.Array(Pointer({ description: 'A JSON Pointer into the event.' }), {
      uniqueItems: true,
      description: 'JSON Pointers to everything that is wrong with the event: all of them, in any order.',
    }),
  ),
  route: Type.Optional(Type.String({ minLength: 1, description: 'The rule that decided, or "otherwise".' })),
  topic: Type.Optional(Topic('Topic of the record.')),
  partition: Type.Optional(
    Type.Union([Type.Integer({ minimum: 0 }), Type.Literal('by key')], {
      expected: 'a partition, or "by key"',
      description: 'Partition of the record; "by key" if the target names no partition and the key decides.',
    }),
  ),
  key: Type.Optional(
    Type.Unsafe<string | null>({
      type: ['string', 'null'],
      expected: 'text, or null if the record must have no key',
      description: 'Key of the record.',
    }),
  ),
  headers: Type.Optional(
    Headers('Headers of the record by name; null if the record must not have the header.'),
  ),
  value: Type.Optional(
    Type.Unknown({
      description:
        'The whole value of the record as JSON; white space and the order of keys are ignored. Or a string: the exact text.',
    }),
  ),
  deadLetter: Type.Optional(
    Type.Union([Type.Boolean(), DeadLetter], {
      expected: 'true, false or {"topic": ..., "stage": ...}',
      description:
        'Whether the record is a dead letter. If it is, the other expectations apply to the dead letter.',
    }),
  ),
  acknowledge: Type.Optional(
    Type.Union([Type.Boolean(), Acknowledge], {
      expected: 'true, false or {"method": ..., "url": ..., "body": ...}',
      description: 'The request that acknowledges the event to its sender; false if there must be none.',
    }),
  ),
}

const Expect = Type.Object(
  {
    response: Type.Optional(ExpectedResponse),
    ...EVENT,
    items: Type.Optional(
      Type.Array(Type.Object(EVENT, closed), {
        description:
          'For a source with `split`: the expected result of each event of the request, all of them in their order.',
      }),
    ),
  },
  {
    ...closed,
    minProperties: 1,
    description: 'The expected result. Only the properties that are listed here are checked.',
  },
)

const Scenario = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'A sentence about the event and its result.' }),
    pipeline: Type.Optional(
      Type.String({ description: 'The pipeline that gets the event. Default: the pipeline of the file.' }),
    ),
    event: Type.Optional(
      Type.Unknown({
        description:
          'The event as JSON. Numbers and strings are sent exactly as written here; comments and white space are not sent.',
      }),
    ),
    file: Type.Optional(
      Type.String({
        format: 'path',
        description: 'Path of a file that contains the exact bytes of the body; relative to this file.',
      }),
    ),
    text: Type.Optional(Type.String({ description: 'The body as text, if it is not JSON.' })),
    method: Type.Optional(
      Type.String({
        pattern: '^[A-Z]+$',
        expected: 'a method such as "GET"',
        description:
          'The method of the request. Default: the first that the source accepts for events. With a method, the body may be absent.',
      }),
    ),
    query: Type.Optional(
      Type.String({
        description: 'The query of the URL, without the question mark, as the sender writes it.',
      }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Request headers. Content-Type is application/json unless it is set here.',
      }),
    ),
    verify: Type.Optional(
      Type.Boolean({
        description:
          'If true, the source verifies the sender, by `headers`. Otherwise the verification is skipped.',
      }),
    ),
    expect: Expect,
  },
  closed,
)

/** A file of scenarios: its validation, types, docs and editor schema. */
export const ScenarioFile = Type.Object(
  {
    $schema: Type.Optional(
      Type.String({
        description: 'The JSON Schema of this file, from which editors take completion and hover texts.',
      }),
    ),
    pipeline: Type.Optional(
      Type.String({
        description: 'The pipeline that gets the events. May be omitted if the config has only one.',
      }),
    ),
    environment: Type.Optional(
      Type.Record(Type.String({ minLength: 1 }), Type.String(), {
        description:
          'Values for ${env:NAME} in the config while these scenarios run. They take precedence over the environment of the process.',
      }),
    ),
    scenarios: Type.Array(Scenario, {
      minItems: 1,
      description: 'The scenarios. Each runs independently of the others.',
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
  const bodies = ['event', 'file', 'text'].map((name) => ({ required: [name] }))
  const oneBody = [...bodies, { required: ['method'], not: { anyOf: bodies } }]
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Headgate: scenarios',
    allowComments: true,
    allowTrailingCommas: true,
    ...file,
    properties: { ...properties, scenarios: { ...scenarios, items: { ...scenarios.items, oneOf: oneBody } } },
  }
}
