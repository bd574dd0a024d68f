import { pointer } from '../../lib/json/pointer.js'
import type { Settings } from '../../plugins/source/http-webhook/settings.js'
import { isJsonBody } from '../../plugins/source/http-webhook/simulated-sender/body-text.js'
import {
  type ProvedRequest,
  proofExpires,
  prover,
  written,
} from '../../plugins/source/http-webhook/simulated-sender/proof.js'
import { registration } from '../../plugins/source/http-webhook/simulated-sender/registration.js'
import { eventsOf, simulatedEvent } from '../../plugins/source/http-webhook/simulated-sender/request.js'
import type { Answers } from './senders.js'
import { idInBody, sampleSecrets, sourceSettings } from './source-settings.js'

const ID = 'event-1'

/** The scenarios of a new config: each thing that the config decides, once. */
export function scenarioText(answers: Answers): string {
  const environment = sampleSecrets(answers)
  const source = sourceSettings(answers, environment)
  const scenarios = [
    delivered(answers, source),
    {
      name: 'a request that does not prove its sender is refused',
      ...requestOf(written(simulatedEvent(answers.sender.event, source, ID))),
      verify: true,
      expect: { outcome: 'rejected', code: 'HG_INTAKE_UNAUTHENTICATED', response: { status: 401 } },
    },
    ...withoutId(answers, source),
    ...withoutMember(answers, source),
    ...registered(source),
  ]
  const file = { $schema: '../schemas/scenarios.schema.json', environment, scenarios }
  return `${JSON.stringify(file, undefined, 2)}\n`
}

/** The request as members of a scenario, which leave out what is usual. */
function requestOf({ method, query, headers, body }: ProvedRequest): object {
  const { 'Content-Type': type, ...others } = headers
  const named = type === 'application/json' ? others : headers
  return {
    ...((method !== 'POST' || body === '') && { method }),
    ...(query !== '' && { query }),
    ...(body !== '' && (isJsonBody(headers) ? { event: JSON.parse(body) } : { text: body })),
    ...(Object.keys(named).length > 0 && { headers: named }),
  }
}

function delivered({ sender, topic }: Answers, source: Settings): object {
  const event = simulatedEvent(sender.event, source, ID)
  // A proof that has the time in it would be too old tomorrow.
  const isProved = !proofExpires(source.verify)
  const request = isProved ? prover(source)(event) : written(event)
  const { headers, body } = request
  const events = eventsOf(event.body, source.split)
  const { status = 200, body: text = true } = source.responses.delivered ?? {}
  const id = idInBody(source)
  const results = valuesOf(body, headers, events, source).map((value, index) => ({
    route: 'otherwise',
    topic,
    partition: 'by key',
    key: id === undefined ? null : pointer(id).read(events[index]),
    value,
    acknowledge: (sender.postCommit ?? []).length > 0,
  }))
  const [only, ...others] = results
  return {
    name: others.length === 0 ? `an event goes to ${topic}` : `each event of a batch goes to ${topic}`,
    ...requestOf(request),
    ...(isProved && { verify: true }),
    expect: {
      outcome: 'delivered',
      response: { status, ...(text !== false && { body: text === true ? { outcome: 'delivered' } : text }) },
      ...(others.length === 0 ? only : { items: results }),
    },
  }
}

/** The values of the records: a body that is no JSON goes as it came, and its items as JSON. */
function valuesOf(
  body: string,
  headers: ProvedRequest['headers'],
  events: readonly unknown[],
  { split }: Settings,
): readonly unknown[] {
  if (isJsonBody(headers)) return eventsOf(JSON.parse(body), split)
  return split === undefined ? [body] : events
}

/** None for a sender whose events have no id. */
function withoutId({ sender }: Answers, source: Settings): readonly object[] {
  const { eventId } = source
  if (eventId === 'digest' || eventId === 'new') return []
  return [
    {
      name: 'an event without an id is refused',
      ...requestOf(written(simulatedEvent(sender.event, source, undefined))),
      expect: { outcome: 'rejected', code: 'HG_INTAKE_NO_ID', response: { status: 400 } },
    },
  ]
}

function withoutMember({ sender, deadLetterTopic }: Answers, source: Settings): readonly object[] {
  const [member] = Object.keys(sender.required ?? {})
  if (member === undefined) return []
  const { body, ...request } = simulatedEvent(sender.event, source, ID)
  const others = Object.entries(body ?? {}).filter(([name]) => name !== member)
  return [
    {
      name: `an event without ${member} becomes a dead letter`,
      ...requestOf(written({ ...request, body: Object.fromEntries(others) })),
      expect: {
        outcome: 'dead-lettered',
        code: 'HG_SCHEMA_VIOLATION',
        topic: deadLetterTopic,
        response: { status: 202 },
      },
    },
  ]
}

function registered({ handshake }: Settings): readonly object[] {
  if (handshake === undefined) return []
  const isEmpty = handshake.form === 'body' && handshake.value === undefined
  return [
    {
      name: 'the registration of the URL gets its response',
      ...requestOf(written(registration(handshake, 'challenge-1'))),
      expect: { outcome: 'handshake', response: { status: isEmpty ? 204 : 200 } },
    },
  ]
}
