/** Numbers as a person reads them: three digits, and a unit. */

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 })

/** A figure and its unit stay on one line. */
const SPACE = '\u00a0'

export const count = (value: number): string =>
  value < 100_000 ? whole.format(value) : compact.format(value)

/** Events a second. */
export function rate(value: number): string {
  if (value === 0) return '0'
  if (value < 0.1) return '< 0.1'
  return value < 9.95 ? value.toFixed(1) : count(value)
}

/** Milliseconds as a duration. */
export function duration(ms: number): string {
  if (ms < 1) return `<${SPACE}1${SPACE}ms`
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)}${SPACE}ms`
  const seconds = ms / 1000
  if (seconds < 100) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}${SPACE}s`
  const minutes = seconds / 60
  return minutes < 100 ? `${Math.round(minutes)}${SPACE}min` : `${Math.round(minutes / 60)}${SPACE}h`
}

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`
