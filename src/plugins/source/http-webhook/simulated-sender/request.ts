import { pointer } from '../../../../lib/json/pointer.js'
import type { EventIdSetting } from '../event-id.js'
import type { SampleEvent } from '../senders/sender.js'

/** A request of a simulated sender. */
export interface SimulatedRequest {
  readonly method: string
  /** Without the question mark. */
  readonly query: string
  readonly headers: { readonly [name: string]: string }
  /** Sent as JSON; undefined if there is none. */
  readonly body: object | undefined
}

/** An event with `value` where events of this sender differ: at the location of the id, the last of several. */
export function simulatedEvent(
  { headers = {}, body, differsAt }: SampleEvent,
  eventId: EventIdSetting,
  value: string | undefined,
): SimulatedRequest {
  const event = {
    method: 'POST',
    query: '',
    headers: { 'Content-Type': 'application/json', ...headers },
    body,
  }
  const place = eventId === 'digest' || eventId === 'new' ? differsAt : [eventId].flat().at(-1)
  if (place === undefined || value === undefined) return event
  const [, kind, name = ''] = /^(header|query):(.*)$/.exec(place) ?? []
  if (kind === 'header') return { ...event, headers: { ...event.headers, [name]: value } }
  if (kind === 'query') return { ...event, query: new URLSearchParams({ [name]: value }).toString() }
  return { ...event, body: withValue(body, pointer(place).tokens, value) as object }
}

/** The same JSON with another value at a place. It is made where it is missing; `*` stands for every element of an array. */
export function withValue(json: unknown, [token, ...rest]: readonly string[], value: unknown): unknown {
  if (token === undefined) return value
  if (Array.isArray(json) || (json === undefined && token === '0')) {
    const elements = (json ?? [undefined]) as readonly unknown[]
    return elements.map((element, index) =>
      token === '*' || token === String(index) ? withValue(element, rest, value) : element,
    )
  }
  const { [token]: inner, ...others } = Object(json ?? {}) as { readonly [name: string]: unknown }
  return { [token]: withValue(inner, rest, value), ...others }
}
