import type { HeadgateError } from '../errors.js'
import type { Log } from '../plugin.js'

/** Lines of one code in one window before the rest is only counted. */
const LINES = 10
const WINDOW_MS = 10_000

/**
 * Logs events that failed: a line for each with bad data, for it is that event's last trace; the first few lines and
 * then a count where our side fails, for an outage says the same thing of every event.
 */
export function createFailureLog(log: Log): (id: string | undefined, error: HeadgateError) => void {
  const windows = new Map<string, { startedAt: number; lines: number; unsaid: number }>()
  return (id, error) => {
    const { code, message, violations, cause } = error
    const fields = {
      id,
      code,
      ...(violations.length > 0 && { violations }),
      ...(code === 'HG_PLUGIN_FAILED' && { err: cause }),
    }
    if (error.kind === 'data') {
      log.warn(fields, message)
      return
    }
    const now = performance.now()
    let window = windows.get(code)
    if (window === undefined || now - window.startedAt >= WINDOW_MS) {
      if (window !== undefined && window.unsaid > 0)
        log.warn({ code, count: window.unsaid }, 'more events failed the same way')
      window = { startedAt: now, lines: 0, unsaid: 0 }
      windows.set(code, window)
    }
    if (window.lines++ < LINES) log.warn(fields, message)
    else window.unsaid++
  }
}
