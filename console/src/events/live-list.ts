import { batch, computed, signal } from '@preact/signals'
import type { TapEvent, TapLine } from '../../../src/tap/line.js'
import { follow } from '../api/live.js'
import type { OutcomeKind } from '../overview/graph.js'
import { Arrivals } from './arrivals.js'

/** An event of the list, with a number of its own. */
export interface ListedEvent extends TapEvent {
  readonly key: number
  /** The tap that showed it, which Headgate can be asked about. */
  readonly tap: number | undefined
}

/** The id of the button that shows it. */
export const buttonOf = ({ key }: ListedEvent): string => `event-${key}`

/** The newest are kept. */
const MOST_EVENTS = 200
/** Events a second: more than a person reads. The others are counted. */
const RATE = 20
const PAYLOAD = '4KiB'

export interface Filter {
  readonly pipeline: string
  readonly rule: string
  readonly id: string
  /** Of the error. */
  readonly code: string
  /** Empty for all. */
  readonly outcomes: readonly OutcomeKind[]
}

export const ANY: Filter = { pipeline: '', rule: '', id: '', code: '', outcomes: [] }

/** Newest first. */
const events = signal<readonly ListedEvent[]>([])
export const filter = signal<Filter>(ANY)
/** Looked for in the events that are listed. */
export const search = signal('')
export const paused = signal(false)
export const skipped = signal(0)
/** Why there is no list. */
export const refused = signal<string | undefined>(undefined)
export const selected = signal<number | undefined>(undefined)

export const shown = computed(() => {
  const text = search.value.trim().toLowerCase()
  if (text === '') return events.value
  return events.value.filter((event) => JSON.stringify(event).toLowerCase().includes(text))
})

export function clear(): void {
  arrivals.drop()
  batch(() => {
    events.value = []
    skipped.value = 0
    selected.value = undefined
  })
}

/** The list stays as it is now. */
export function pause(): void {
  arrivals.flush()
  paused.value = true
}

export function resume(): void {
  paused.value = false
}

let keys = 0
const arrivals = new Arrivals<ListedEvent>((arrived) => {
  events.value = [...arrived.toReversed(), ...events.value].slice(0, MOST_EVENTS)
})

/** Follows the events that the filter lets through. Returns the function that ends it, after which the list stays as it is. */
export function followEvents({ pipeline, rule, id, code, outcomes }: Filter): () => void {
  refused.value = undefined
  const query = new URLSearchParams({ rate: String(RATE), payload: PAYLOAD, keep: 'true' })
  if (pipeline !== '') query.append('pipeline', pipeline)
  if (rule !== '') query.append('route', rule)
  if (id !== '') query.append('id', id)
  if (code !== '') query.append('code', code)
  for (const outcome of outcomes) query.append('outcome', outcome)
  let tap: number | undefined
  const end = follow<TapLine>(`/tap?${query}`, {
    onMessage(line) {
      if (line.kind === 'tapping') tap = line.tap
      if (line.kind === 'skipped') skipped.value += line.count
      if (line.kind === 'event') arrivals.add({ ...line, key: ++keys, tap })
    },
    onRefused(error) {
      refused.value = error.message
    },
  })
  return () => {
    end()
    arrivals.drop()
  }
}
