import { computed, signal } from '@preact/signals'
import type { RefusedDetail, RefusedList } from '../../../src/admin/api.js'
import type { RefusedLine } from '../../../src/tap/line.js'
import { getJson } from '../api/client.js'
import { follow } from '../api/live.js'
import { ANY, codeOf, fits, newestOfEach, pipelineOf, type RefusedFilter, valuesOf } from './refused-lines.js'

/** Newest first; undefined before the first message. */
const requests = signal<readonly RefusedLine[] | undefined>(undefined)
export const filter = signal<RefusedFilter>(ANY)
/** Those that the filter lets through. */
export const shown = computed(() => requests.value?.filter((line) => fits(filter.value, line)))
/** Of all requests. */
export const pipelines = computed(() => valuesOf(requests.value, pipelineOf))
export const codes = computed(() => valuesOf(requests.value, codeOf))
export const chosen = signal<number | undefined>(undefined)
/** The chosen one with its body; or why there is none. */
export const detail = signal<RefusedDetail | { readonly problem: string } | undefined>(undefined)

/** Follows the refused requests. Returns the function that ends it. */
export function followRefused(): () => void {
  return follow<RefusedList>('/refused', {
    onMessage({ refused }, first) {
      const before = first ? [] : (requests.value ?? [])
      requests.value = newestOfEach([...refused, ...before])
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
