import type { Committed, Event, Receipt } from '../../plugin.js'

/** What post-commit stages are told of an event; one that was dropped has no receipt. */
export function committed(
  { id, traceparent }: Pick<Event, 'id' | 'traceparent'>,
  receipt?: Receipt,
): Committed {
  if (receipt === undefined) return traceparent === undefined ? { id } : { id, traceparent }
  return traceparent === undefined ? { id, receipt } : { id, receipt, traceparent }
}
