import type { Committed, Event, Receipt } from '../contract/index.js'

/** What post-commit stages are told of an event; one that was dropped has no receipt. */
export function committed(
  { id, traceparent, tracestate }: Pick<Event, 'id' | 'traceparent' | 'tracestate'>,
  receipt?: Receipt,
): Committed {
  if (traceparent === undefined) return receipt === undefined ? { id } : { id, receipt }
  if (tracestate === undefined)
    return receipt === undefined ? { id, traceparent } : { id, receipt, traceparent }
  return receipt === undefined ? { id, traceparent, tracestate } : { id, receipt, traceparent, tracestate }
}
