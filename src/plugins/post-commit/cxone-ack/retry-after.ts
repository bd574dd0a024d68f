const SECONDS = /^\d+(\s*,\s*\d+)*$/

/** The headers with the wait that a server asks for, and with the time on its clock. */
export interface WaitHeaders {
  readonly retryAfter: string | readonly string[] | undefined
  readonly date?: string | undefined
}

/**
 * The wait in milliseconds that a Retry-After header asks for, at most `max`; the longest if there are several. Undefined if
 * there is none that can be understood. A date is compared with the Date header of the same response, if it has one, so
 * that neither clock has to be right.
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

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The three forms of a date in HTTP (RFC 9110, 5.6.7): as of today, of RFC 850, and of asctime, which does not say that it is GMT. */
const FORMS = [
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/,
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/,
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d{2}:\d{2}:\d{2}) (?<year>\d{4})$/,
]

/** Milliseconds since the epoch; undefined if the text is no date of HTTP, or a day that does not exist. */
export function httpDate(text: string, now: number): number | undefined {
  const groups = FORMS.map((form) => form.exec(text)?.groups).find((found) => found !== undefined)
  if (groups === undefined) return undefined
  const { day = '', month = '', year = '', time = '' } = groups
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number)
  const at = MONTHS.indexOf(month)
  if (at < 0 || hours > 23 || minutes > 59 || seconds > 60) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year.length === 2 ? century(Number(year), now) : Number(year), at, Number(day))
  if (date.getUTCMonth() !== at || date.getUTCDate() !== Number(day)) return undefined
  // A leap second is the second before it, as everywhere in POSIX time.
  return date.setUTCHours(hours, minutes, Math.min(seconds, 59))
}

/** A year of two digits that would be more than 50 years ahead is the last one before with these digits (RFC 9110, 5.6.7). */
function century(digits: number, now: number): number {
  const present = new Date(now).getUTCFullYear()
  const year = present - (present % 100) + digits
  return year > present + 50 ? year - 100 : year
}
