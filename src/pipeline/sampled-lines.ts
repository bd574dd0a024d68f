/** Lines of one kind in one window before the rest is only counted. */
const LINES = 10
const WINDOW_MS = 10_000

/** The first few of each kind get a line each; the rest of a window is a count at its end. */
export interface SampledLines<Kind> {
  /** True where this one gets a line; counts it where it does not. */
  take(kind: Kind): boolean
  /** Says now how many were only counted, and leaves no timer behind. */
  flush(): void
}

interface Window {
  readonly startedAt: number
  readonly timer: NodeJS.Timeout
  lines: number
  unsaid: number
}

/** `sayRest` is told how many of a kind had no line, and what to say: `4,212 more in the last 10 s`. */
export function sampledLines<Kind>(
  sayRest: (kind: Kind, count: number, text: string) => void,
): SampledLines<Kind> {
  const windows = new Map<Kind, Window>()
  const close = (kind: Kind, { startedAt, timer, unsaid }: Window): void => {
    clearTimeout(timer)
    windows.delete(kind)
    if (unsaid === 0) return
    const seconds = Math.ceil((performance.now() - startedAt) / 1000)
    sayRest(kind, unsaid, `${unsaid.toLocaleString('en-US')} more in the last ${seconds} s`)
  }
  const open = (kind: Kind): Window => {
    const timer = setTimeout(() => close(kind, window), WINDOW_MS).unref()
    const window = { startedAt: performance.now(), timer, lines: 0, unsaid: 0 }
    windows.set(kind, window)
    return window
  }
  return {
    take(kind) {
      const window = windows.get(kind) ?? open(kind)
      if (window.lines === LINES) {
        window.unsaid++
        return false
      }
      window.lines++
      return true
    },
    flush() {
      for (const [kind, window] of windows) close(kind, window)
    },
  }
}
