import { type ErrorCode, HeadgateError, type Violation } from '../contract/errors.js'

/** An error as another process is told of it. */
export interface ErrorText {
  readonly code: ErrorCode
  readonly message: string
  readonly violations?: readonly Violation[]
  readonly rule?: string
  readonly retryAfter?: number
  readonly uncertain?: true
  /** The stack of what lies behind it, for the log. */
  readonly cause?: string
}

export function toErrorText(error: HeadgateError): ErrorText {
  const { code, message, violations, rule, retryAfter, uncertain, cause } = error
  return {
    code,
    message,
    ...(violations.length > 0 && { violations }),
    ...(rule !== undefined && { rule }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(uncertain && { uncertain }),
    ...(cause !== undefined && { cause: (cause instanceof Error && cause.stack) || String(cause) }),
  }
}

export function fromErrorText({ code, message, cause, ...details }: ErrorText): HeadgateError {
  if (cause === undefined) return new HeadgateError(code, message, details)
  const behind = Object.assign(new Error(message), { stack: cause })
  return new HeadgateError(code, message, { ...details, cause: behind })
}
