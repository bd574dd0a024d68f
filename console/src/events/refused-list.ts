import { signal } from '@preact/signals'
import type { RefusedDetail, RefusedList } from '../../../src/admin/api.js'
import type { RefusedLine } from '../../../src/tap/line.js'
import { getJson } from '../api/client.js'
import { follow } from '../api/live.js'

/** The newest are kept, as Headgate keeps some of each pipeline only. */
const MOST = 500

/** Newest first; undefined before the first message. */
export const refusedRequests = signal<readonly RefusedLine[] | undefined>(undefined)
export const chosen = signal<number | undefined>(undefined)
/** The chosen one with its body; or why there is none. */
export const detail = signal<RefusedDetail | { readonly problem: string } | undefined>(undefined)

/** Follows the refused requests. Returns the function that ends it. */
export function followRefused(): () => void {
  return follow<RefusedList>('/refused', {
    onMessage({ refused }, first) {
      const before = first ? [] : (refusedRequests.value ?? [])
      refusedRequests.value = [...refused, ...before].slice(0, MOST)
    },
  })
}

/** Asks for the body of one. */
export function choose(number: number | undefined): void {
  chosen.value = number
  detail.value = undefined
  if (number === undefined) return
  getJson<RefusedDetail>(`/refused/${number}`)
    .then((found) => {
      if (chosen.value === number) detail.value = found
    })
    .catch((error: Error) => {
      if (chosen.value === number) detail.value = { problem: error.message }
    })
}
