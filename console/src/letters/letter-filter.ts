import type { DeadLetterSelection } from '../../../src/admin/api.js'

export interface Filter {
  readonly status: 'open' | 'settled'
  readonly code: string
  readonly stage: string
  readonly rule: string
  readonly id: string
  readonly text: string
  readonly passes: '' | 'true' | 'false'
  /** How long ago at most, as `24h`; empty for any time; `own` for `from` and `to`. */
  readonly time: string
  /** As a field for a date and a time has them; empty for no bound. */
  readonly from: string
  readonly to: string
}

export const ANY: Filter = {
  status: 'open',
  code: '',
  stage: '',
  rule: '',
  id: '',
  text: '',
  passes: '',
  time: '',
  from: '',
  to: '',
}

const HOUR = 3_600_000

export const SPANS: readonly { readonly value: string; readonly title: string; readonly ms: number }[] = [
  { value: '1h', title: 'the last hour', ms: HOUR },
  { value: '24h', title: 'the last 24 hours', ms: 24 * HOUR },
  { value: '7d', title: 'the last 7 days', ms: 7 * 24 * HOUR },
]

/** The filter of an address, as its query says. */
export const filterOf = (query: URLSearchParams): Filter => ({
  ...ANY,
  ...Object.fromEntries([...query].filter(([name]) => Object.hasOwn(ANY, name))),
})

/** The address of the dead letters that a filter shows. */
export function addressOf(pipeline: string, filter: Partial<Filter>): string {
  const set = Object.entries(filter).filter(([name, value]) => value !== ANY[name as keyof Filter])
  const query = new URLSearchParams(set).toString()
  return `#/dead-letters/${encodeURIComponent(pipeline)}${query === '' ? '' : `?${query}`}`
}

/** Why the filter can match nothing; undefined if it can. */
export const problemOf = ({ time, from, to }: Filter): string | undefined =>
  time === 'own' && from !== '' && to !== '' && from > to
    ? 'The time "From" is later than "To", so no dead letter can match.'
    : undefined

/**
 * As the admin API selects them, on all pages. `now`: the time, in milliseconds, up to which the last hours are counted.
 */
export function selectionOf(filter: Filter, now: number): DeadLetterSelection {
  const { code, stage, rule, id, text, passes, time, from, to } = filter
  const texts = { code, stage, rule, id: id.trim(), text: text.trim() }
  const ms = SPANS.find(({ value }) => value === time)?.ms
  const since = ms === undefined ? (time === 'own' ? momentOf(from) : undefined) : new Date(now - ms)
  const until = time === 'own' ? momentOf(to, LAST) : undefined
  return {
    ...Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== '')),
    ...(passes !== '' && { passes: passes === 'true' }),
    ...(since !== undefined && { since: since.toISOString() }),
    ...(until !== undefined && { until: until.toISOString() }),
  }
}

/** Milliseconds of the minute that a field names: all of it is meant. */
const LAST = 59_999

/** In the time zone of the browser; undefined if nothing is typed. */
function momentOf(typed: string, more = 0): Date | undefined {
  const at = Date.parse(typed) + more
  return Number.isNaN(at) ? undefined : new Date(at)
}
