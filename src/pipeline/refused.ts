import { formatLocation, type Problem } from '../config/problem.js'
import type { HeadgateError } from '../contract/errors.js'

/** The config on disk is not what runs. `revision` is of what runs. */
export interface Refused {
  readonly result: 'failure'
  readonly revision: string
  /** What is wrong with the file; empty where the file is right and `error` says what else failed. */
  readonly problems: readonly Problem[]
  readonly error: HeadgateError | undefined
  /** When Headgate tries again by itself, in a sentence; undefined when it is shutting down. */
  readonly retry: string | undefined
}

/** Milliseconds. What failed because of the surroundings is tried again so often. */
export const RETRY_AFTER = 30_000

/** Without an error something is wrong with the file, or with one that it names. */
export const retryOf = (error: HeadgateError | undefined): string =>
  error === undefined
    ? 'Headgate tries again when the file changes.'
    : `Headgate tries again in ${RETRY_AFTER / 1000} s, or when the file changes.`

/** One sentence for each thing that is wrong, with its place. */
export const reasonsOf = ({ problems, error }: Refused): string[] => [
  ...problems.map(({ location, code, message }) => `${formatLocation(location)}: ${code}: ${message}`),
  ...(error === undefined ? [] : [`${error.code}: ${error.message}`]),
]

/** A line of the log for each thing that is wrong. The last one says when Headgate tries again. */
export function logLines(refused: Refused): { readonly fields: object; readonly message: string }[] {
  const lines = [...refused.problems.map(problemLine), ...(refused.error ? [errorLine(refused.error)] : [])]
  return lines.map(({ fields, reason }, at) => ({
    fields,
    message: [
      `the new config was not taken, the old one goes on: ${reason}`,
      ...(at === lines.length - 1 && refused.retry !== undefined ? [refused.retry] : []),
    ].join(' '),
  }))
}

function problemLine({ code, location, pointer, message, expected, suggestion }: Problem) {
  const fields = {
    code,
    place: formatLocation(location),
    pointer,
    ...(expected !== undefined && { expected }),
  }
  const told = [`${fields.place}: ${message}`, ...(suggestion === undefined ? [] : [suggestion])]
  return { fields, reason: told.join(' ') }
}

function errorLine({ code, message, cause }: HeadgateError) {
  return { fields: { code, ...(code === 'HG_PLUGIN_FAILED' && { err: cause }) }, reason: message }
}
