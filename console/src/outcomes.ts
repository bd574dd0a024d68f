import type { OutcomeKind } from './overview/graph.js'

/** In the order in which they are shown. */
export const OUTCOMES = [
  'accepted',
  'delivered',
  'duplicate',
  'dropped',
  'dead-lettered',
  'rejected',
  'unavailable',
  'handshake',
] as const satisfies readonly OutcomeKind[]

/** Outcomes that somebody should look at. */
export const PROBLEMS = ['dead-lettered', 'rejected', 'unavailable'] as const
