import { pointer } from '../../../../lib/json/pointer.js'
import { splitting } from '../batch.js'
import type { SampleEvent } from '../senders/sender.js'
import type { Settings } from '../settings.js'

/** A request of a simulated sender. */
export interface SimulatedRequest {
  readonly method: string
  /** Without the question mark. */
  readonly query: string
  readonly headers: { readonly [name: string]: string }
  /** Sent as Content-Type says; undefined if there is none. */
  readonly body: object | undefined
}

/**
 * A request with `value` where events of this sender differ: at the location of the id, the last of several. Later events of a
 * batch have a number behind it.
 */
export function simulatedEvent(
  { headers = {}, body, differsAt }: SampleEvent,
  { eventId, split }: Pick<Settings, 'eventId' | 'split'>,
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
  const { tokens } = pointer(place)
  const at = splitting(split)?.at
  if (at === undefined) return { ...event, body: withValue(body, tokens, value) as object }
  const items = eventsOf(body, split).map((item, index) =>
    withValue(item, tokens, index === 0 ? value : `${value}-${index + 1}`),
  )
  return { ...event, body: withValue(body, pointer(at).tokens, items) as object }
}

/** The events in a body: the body itself, or the items of a batch. */
export function eventsOf(body: unknown, split: Settings['split']): readonly unknown[] {
  const at = splitting(split)?.at
  return at === undefined ? [body] : [pointer(at).read(body)].flat()
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
