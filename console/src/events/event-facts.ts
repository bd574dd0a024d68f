import { signal } from '@preact/signals'
import type { EventExplanation } from '../../../src/admin/api.js'
import type { EventDetail } from '../../../src/tap/line.js'
import { ApiError, getJson } from '../api/client.js'
import { type ListedEvent, selected } from './live-list.js'

/** Milliseconds between two looks: acknowledgements come after the event has ended. */
const EVERY = 2000

/** Everything about the chosen event; or why there is no more than its line. */
export const facts = signal<EventDetail | { readonly problem: string } | undefined>(undefined)

/** Why the running config decides so on the chosen event; undefined before somebody asks. */
export const explanation = signal<EventExplanation | { readonly problem: string } | 'asked' | undefined>(
  undefined,
)

/** Asks why. */
export function askWhy({ tap, number, key }: ListedEvent): void {
  explanation.value = 'asked'
  const show = (found: EventExplanation | { readonly problem: string }) => {
    if (selected.value === key) explanation.value = found
  }
  getJson<EventExplanation>(`/tap/${tap}/${number}/explanation`).then(show, (error: Error) =>
    show({ problem: error.message }),
  )
}

/** Follows what Headgate knows of an event. Returns the function that ends it. */
export function followFacts({ tap, number }: ListedEvent): () => void {
  facts.value = undefined
  explanation.value = undefined
  const ended = new AbortController()
  const ask = async () => {
    if (document.visibilityState !== 'visible') return
    try {
      const found = await getJson<EventDetail>(`/tap/${tap}/${number}`, ended.signal)
      if (!ended.signal.aborted) facts.value = found
    } catch (error) {
      if (ended.signal.aborted || !(error instanceof ApiError)) return
      clearInterval(timer)
      // Facts from before stay.
      facts.value ??= { problem: error.message }
    }
  }
  const timer = setInterval(ask, EVERY)
  ended.signal.addEventListener('abort', () => clearInterval(timer))
  void ask()
  return () => ended.abort()
}
