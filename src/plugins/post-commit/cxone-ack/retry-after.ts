/** The three forms of a date in HTTP (RFC 9110, 5.6.7); the last one, asctime, leaves out that it means GMT. */
const HTTP_DATE = /^[A-Z][a-z]{2,8}, .+ GMT$|^[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}$/
const SECONDS = /^[0-9]+$/

/**
 * What a Retry-After header asks for, in milliseconds from `now`, at most `max`. Undefined where there is none that
 * can be understood.
 */
export function retryAfter(header: string | undefined, max: number, now = Date.now()): number | undefined {
  if (header === undefined) return undefined
  const asked = SECONDS.test(header) ? Number(header) * 1000 : untilDate(header, now)
  return Number.isNaN(asked) ? undefined : Math.min(Math.max(asked, 0), max)
}

function untilDate(header: string, now: number): number {
  if (!HTTP_DATE.test(header)) return Number.NaN
  return Date.parse(header.endsWith('GMT') ? header : `${header} GMT`) - now
}
