/** From values to places on an axis. */
export interface Scale {
  at(value: number): number
  /** Values worth a line and a label. */
  readonly ticks: readonly number[]
}

/** From 0 to a round number above `highest`; `from` and `to` are places. */
export function linearScale(highest: number, from: number, to: number): Scale {
  const step = roundStep(highest / 5)
  const count = Math.max(1, Math.ceil(highest / step))
  const end = step * count
  return {
    at: (value) => from + ((to - from) * value) / end,
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
  }
}

/** Equal factors are equal distances. Ticks at powers of ten, and at 2 and 5 times those where there is room. */
export function logScale(lowest: number, highest: number, from: number, to: number): Scale {
  const low = Math.log10(lowest)
  const high = Math.log10(highest)
  const span = high - low || 1
  const factors = span > 3 ? [1] : [1, 2, 5]
  const ticks = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, index) =>
    factors.map((factor) => factor * 10 ** (Math.floor(low) + index)),
  )
  return {
    at: (value) => from + ((to - from) * (Math.log10(value) - low)) / span,
    ticks: ticks.flat().filter((tick) => tick >= lowest && tick <= highest),
  }
}

/** The next of 1, 2, 2.5 and 5 times a power of ten. */
export function roundStep(least: number): number {
  if (!(least > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(least))
  const factor = [1, 2, 2.5, 5].find((candidate) => candidate * power >= least * (1 - 1e-9))
  return (factor ?? 10) * power
}
