import type { ErrorCode, HeadgateError } from '../errors.js'
import type { Event, Log } from '../plugin.js'

/** Lines of one code in one window before the rest is only counted. */
const LINES = 10
const WINDOW_MS = 10_000

/** Logs the events that failed in one stage. */
export interface FailureLog {
  failed(event: Pick<Event, 'id' | 'traceparent'> | undefined, error: HeadgateError): void
  /** Says now how many were only counted, and leaves no timer behind. */
  flush(): void
}

interface Window {
  readonly startedAt: number
  readonly timer: NodeJS.Timeout
  lines: number
  unsaid: number
}

/**
 * The first few of each code get a line each, with the id and the place; the rest of a window is a count at its end. An
 * outage says the same thing of every event, and a sender that sends nothing but bad data must not fill the disk.
 */
export function createFailureLog(log: Log): FailureLog {
  const windows = new Map<ErrorCode, Window>()
  const close = (code: ErrorCode, { startedAt, timer, unsaid }: Window): void => {
    clearTimeout(timer)
    windows.delete(code)
    if (unsaid === 0) return
    const seconds = Math.ceil((performance.now() - startedAt) / 1000)
    log.warn({ code, count: unsaid }, `and ${unsaid.toLocaleString('en-US')} more in the last ${seconds} s`)
  }
  const open = (code: ErrorCode): Window => {
    const timer = setTimeout(() => close(code, window), WINDOW_MS).unref()
    const window = { startedAt: performance.now(), timer, lines: 0, unsaid: 0 }
    windows.set(code, window)
    return window
  }
  return {
    failed(event, error) {
      const { code, message, violations, cause } = error
      const window = windows.get(code) ?? open(code)
      if (window.lines === LINES) {
        window.unsaid++
        return
      }
      window.lines++
      const fields = {
        id: event?.id,
        ...(event?.traceparent !== undefined && { trace_id: traceIdOf(event.traceparent) }),
        code,
        ...(violations.length > 0 && { violations }),
        ...(code === 'HG_PLUGIN_FAILED' && { err: cause }),
      }
      log.warn(fields, message)
    },
    flush() {
      for (const [code, window] of windows) close(code, window)
    },
  }
}

/** By which logs and traces of other services are found, in the name that OpenTelemetry gives it in logs. */
const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35)
