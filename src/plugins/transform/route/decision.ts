import { HeadgateError } from '../../../contract/errors.js'
import { drop, type Event, pass, type Verdict } from '../../../contract/index.js'
import type { Destination } from './settings.js'

/** What becomes of an event on which the rule `name` decides. What can be made at load is made at load. */
export function decision(name: string, to: Destination, count?: { inc(): void }): (event: Event) => Verdict {
  const verdict = verdictOf(name, to)
  return (event) => {
    count?.inc()
    return verdict(event)
  }
}

function verdictOf(name: string, to: Destination): (event: Event) => Verdict {
  if (typeof to === 'object') {
    const route = { name, target: to }
    return (event) => pass(routed(event, route))
  }
  if (to === 'drop') return drop
  return () => ({ kind: to, error: refusal(name) })
}

/** Written out, because a spread makes an object of V8's slow kind of each event. */
function routed({ id, body, receivedAt, traceparent, tracestate }: Event, route: Route): Event {
  if (traceparent === undefined) return { id, body, receivedAt, route }
  return tracestate === undefined
    ? { id, body, receivedAt, traceparent, route }
    : { id, body, receivedAt, traceparent, tracestate, route }
}

type Route = NonNullable<Event['route']>

const refusal = (name: string): HeadgateError =>
  name === 'otherwise'
    ? new HeadgateError('HG_ROUTE_NO_MATCH', 'No rule matches this event.', { rule: name })
    : new HeadgateError('HG_ROUTE_REFUSED', `The rule "${name}" refuses this event.`, { rule: name })
