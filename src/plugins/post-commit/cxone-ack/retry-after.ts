import { httpDate } from './http-date.js'

const SECONDS = /^\d+(\s*,\s*\d+)*$/

/** Where a wait of a server is written, and what its clock said then. */
export interface WaitHeaders {
  readonly retryAfter: string | readonly string[] | undefined
  readonly date?: string | undefined
}

/**
 * The wait in milliseconds that a Retry-After header asks for, at most `max`; the longest where there are several. Undefined
 * where there is none that can be understood. A date is compared with the Date header of the same answer, if it has one: so
 * neither clock has to be right.
 */
export function retryAfter(
  { retryAfter: header, date }: WaitHeaders,
  max: number,
  now = Date.now(),
): number | undefined {
  if (header === undefined) return undefined
  const sentAt = (date === undefined ? undefined : httpDate(date.trim(), now)) ?? now
  const waits = (typeof header === 'string' ? [header] : header).flatMap(
    (value) => waitOf(value.trim(), sentAt) ?? [],
  )
  return waits.length === 0 ? undefined : Math.min(Math.max(0, ...waits), max)
}

function waitOf(value: string, sentAt: number): number | undefined {
  if (SECONDS.test(value)) return Math.max(...value.split(',').map(Number)) * 1000
  const until = httpDate(value, sentAt)
  return until === undefined ? undefined : until - sentAt
}
