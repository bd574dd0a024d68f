import type { Event, Explained } from '../../../contract/index.js'
import type { Settings } from './settings.js'

/** What the source looked at in a request that became this event. */
export function explain({ verify, eventId }: Settings, { id }: Event): readonly Explained[] {
  const place = typeof eventId === 'string' ? `${eventId || 'the body'}` : `header ${eventId.header}`
  const idFound: Explained = { name: 'event id', result: id, looked: [{ at: place, found: id }] }
  // Without a scheme there is nothing that could have been looked at.
  if (verify.scheme === 'none') return [idFound]
  return [{ name: 'verification', result: `${verify.scheme}: proved by the headers`, looked: [] }, idFound]
}
