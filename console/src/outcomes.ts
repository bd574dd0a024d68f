import type { OutcomeKind } from './overview/graph.js'

/** In the order in which they are shown. */
export const OUTCOMES = [
  'accepted',
  'delivered',
  'duplicate',
  'dropped',
  'dead-lettered',
  'rejected',
  'limited',
  'unavailable',
  'handshake',
] as const satisfies readonly OutcomeKind[]

/** By the status of its response: a 503 is ours, and after a 429 the sender tries again. */
export function refusedKind(status: number): 'unavailable' | 'limited' | 'rejected' {
  if (status >= 500) return 'unavailable'
  return status === 429 ? 'limited' : 'rejected'
}

/** Outcomes that somebody should look at. */
export const PROBLEMS = ['dead-lettered', 'rejected', 'limited', 'unavailable'] as const
