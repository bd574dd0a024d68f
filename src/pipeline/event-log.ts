import type { ErrorCode, HeadgateError } from '../contract/errors.js'
import type { Correlation, Event, Log } from '../contract/index.js'
import { correlationFields } from './passage.js'
import { sampledLines } from './sampled-lines.js'

/** Logs the events that failed in one stage. */
export interface FailureLog {
  /** `event` is undefined where a request did not become one. */
  failed(
    event: Pick<Event, 'id' | 'traceparent'> | undefined,
    error: HeadgateError,
    request?: Correlation,
  ): void
  /** Says now how many were only counted, and leaves no timer behind. */
  flush(): void
}

/**
 * The first few of each code get a line each, with the id and the place; the rest of a window is a count at its end. An
 * outage says the same thing of every event, and a sender that sends nothing but bad data must not fill the disk.
 */
export function createFailureLog(log: Log): FailureLog {
  const lines = sampledLines<ErrorCode>((code, count, more) => log.warn({ code, count }, `and ${more}`))
  return {
    failed(event, error, request) {
      const { code, message, violations, cause } = error
      if (!lines.take(code)) return
      const fields = {
        ...correlationFields(event, request),
        code,
        ...(violations.length > 0 && { violations }),
        ...(code === 'HG_PLUGIN_FAILED' && { err: cause }),
      }
      log.warn(fields, message)
    },
    flush: lines.flush,
  }
}
