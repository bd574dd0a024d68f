import type { Violation } from '../contract/errors.js'
import type { RecordHeader } from '../contract/index.js'
import { HEADER } from '../ledger/record-headers.js'
import { withoutHidden } from '../lib/json/masked.js'
import type { AcknowledgementAttempt } from '../pipeline/taps.js'
import { redactor, type Secrets } from '../process/redact.js'
import { maskedBody } from './body.js'
import type { KeptEvent } from './kept-events.js'
import type { AttemptLine, EventDetail } from './line.js'
import { eventLine, type TapView } from './lines.js'
import { receivedBody } from './received.js'

/** Everything about an event that a tap has shown, without anything secret. */
export function eventDetail(kept: KeptEvent, view: TapView, secrets: Secrets): EventDetail {
  const { number, completed, rule, attempts } = kept
  const { pipeline, event, error, record, times, took } = completed
  const masks = [...pipeline.masks, ...view.masks]
  const body = maskedBody(event?.body.bytes, masks)
  const redact = redactor(secrets)
  const hide = (text: string) => redact(withoutHidden(text, body?.hidden ?? new Set()))
  const original = event?.body.original
  const isUnreadable = event !== undefined && body === undefined
  return {
    ...eventLine(completed, rule, view, secrets),
    number,
    ...(event?.traceparent !== undefined && { traceId: event.traceparent.slice(3, 35) }),
    ...(event !== undefined && { receivedAt: new Date(event.receivedAt).toISOString() }),
    violations: isUnreadable ? [] : (error?.violations ?? []).map((one) => violationOf(one, hide)),
    ...(original !== undefined && {
      received: receivedBody(original, body?.text, {
        ...{ payload: view.payload, hasMasks: masks.length > 0, secrets },
      }),
    }),
    ...(record !== undefined &&
      !isUnreadable && {
        record: {
          ...(record.key !== null && { key: hide(record.key.toString()) }),
          headers: headersOf(record.headers, hide),
        },
      }),
    times: times.map(({ stage, from, ms }) => ({ stage, from: rounded(from), ms: rounded(ms) })),
    ms: rounded(took),
    attempts: attempts.map((attempt) => attemptOf(attempt, hide)),
  }
}

const violationOf = ({ pointer, message }: Violation, hide: (text: string) => string): Violation => ({
  pointer: hide(pointer),
  message: hide(message),
})

/** Without the MAC, which could be copied, and the parts of the request. */
const headersOf = (headers: readonly RecordHeader[], hide: (text: string) => string): RecordHeader[] =>
  headers
    .filter(({ name }) => name !== HEADER.mac && name !== HEADER.request)
    .map(({ name, value }) => ({ name, value: hide(value) }))

const attemptOf = (
  { stage, outcome, at, took, error }: AcknowledgementAttempt,
  hide: (text: string) => string,
): AttemptLine => ({
  stage,
  outcome,
  time: new Date(at).toISOString(),
  ms: rounded(took),
  ...(error !== undefined && { code: error.code, message: hide(error.message) }),
})

const rounded = (ms: number): number => Math.round(ms * 100) / 100
