import { pointer } from '../../lib/json/pointer.js'
import type { Answers } from './senders.js'

/** A request of the sender: its body, and the header that has the event id, if it has it. */
export interface ExampleEvent {
  readonly body: object
  readonly headers: { readonly [name: string]: string }
}

const HEADER = 'header:'

/** An event of the sender, with that id at the location that the config names; without one if it is undefined. */
export function exampleEvent(answers: Answers, id: string | undefined): ExampleEvent {
  const { eventId } = answers
  const { event } = answers.sender
  if (id === undefined) return { body: event, headers: {} }
  if (eventId.startsWith(HEADER)) return { body: event, headers: { [eventId.slice(HEADER.length)]: id } }
  return { body: withMember(event, pointer(eventId).tokens, id), headers: {} }
}

function withMember(value: object, [token, ...rest]: readonly string[], id: string): object {
  if (token === undefined) return value
  const inner = (value as { readonly [name: string]: unknown })[token]
  return {
    [token]: rest.length === 0 ? id : withMember(Object(inner ?? {}), rest, id),
    ...without(value, token),
  }
}

const without = (value: object, name: string): object =>
  Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))

/** The scenarios of a new config: each thing that the config decides, once. */
export function scenarioText(answers: Answers): string {
  const { sender, topic } = answers
  const { name: secretName = '', secret } = sender.variables.find(({ secret }) => secret !== undefined) ?? {}
  const event = exampleEvent(answers, 'event-1')
  const proof = secret && sender.proof?.(JSON.stringify(event.body), secret.sample, answers)
  const anonymous = exampleEvent(answers, undefined)
  const [firstRequired] = Object.keys(sender.required ?? {})
  const isInBody = Object.keys(event.headers).length === 0
  const scenarios = [
    {
      name: `an event goes to ${topic}`,
      event: event.body,
      ...headersOf({ ...event.headers, ...proof }),
      ...(proof !== undefined && { verify: true }),
      expect: {
        outcome: 'delivered',
        response: { status: 200, body: { id: 'event-1', outcome: 'delivered' } },
        route: 'otherwise',
        topic,
        partition: 'by key',
        key: isInBody ? 'event-1' : null,
        value: event.body,
        acknowledge: (sender.postCommit ?? []).length > 0,
      },
    },
    {
      name: 'a request that does not prove its sender is refused',
      event: event.body,
      ...headersOf(event.headers),
      verify: true,
      expect: { outcome: 'rejected', code: 'HG_INTAKE_UNAUTHENTICATED', response: { status: 401 } },
    },
    {
      name: 'an event without an id is refused',
      event: anonymous.body,
      expect: { outcome: 'rejected', code: 'HG_INTAKE_NO_ID', response: { status: 400 } },
    },
    ...(firstRequired === undefined
      ? []
      : [
          {
            name: `an event without ${firstRequired} becomes a dead letter`,
            event: without(event.body, firstRequired),
            ...headersOf(event.headers),
            expect: {
              outcome: 'dead-lettered',
              code: 'HG_SCHEMA_VIOLATION',
              topic: answers.deadLetterTopic,
              response: { status: 202 },
            },
          },
        ]),
  ]
  const environment = secret && { environment: { [secretName]: secret.sample } }
  const file = { $schema: '../schemas/scenarios.schema.json', ...environment, scenarios }
  return `${JSON.stringify(file, undefined, 2)}\n`
}

const headersOf = (headers: { readonly [name: string]: string }): object =>
  Object.keys(headers).length === 0 ? {} : { headers }
