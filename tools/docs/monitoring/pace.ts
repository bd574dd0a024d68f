/**
 * A span of time in a rule, in seconds, as PromQL writes it. Production takes it as it is; a test, which cannot wait for
 * minutes, makes all of them shorter by the same factor.
 */
export interface Pace {
  /** `5m`: the range of a selector, or how long something has to last. */
  span(seconds: number): string
  /** The same as a number of seconds, to compare an age with. */
  seconds(seconds: number): number
}

export const PRODUCTION: Pace = { span: inUnits, seconds: (seconds) => seconds }

/** `shortest`: a range has to reach over a few scrapes. */
export const hastened = (factor: number, shortest: number): Pace => {
  const scale = (seconds: number) => Math.max(shortest, Math.round(seconds / factor))
  return { span: (seconds) => inUnits(scale(seconds)), seconds: scale }
}

function inUnits(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}
