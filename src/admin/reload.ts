import { formatLocation } from '../config/problem.js'
import { type Refused, type Reloaded, reasonsOf } from '../pipeline/reload/outcome.js'

/** A reload as the admin API answers it: what is different now, or every problem with its place (RFC 9457). */
export function reloadAnswer(
  reloaded: Reloaded,
  redact: (text: string) => string,
): { readonly done: object } | { readonly problem: object } {
  if (reloaded.result !== 'failure') return { done: reloaded }
  const { revision, problems, error, retry } = reloaded
  const code = problems[0]?.code ?? error?.code ?? 'HG_RELOAD_FAILED'
  const problem = {
    type: `urn:headgate:error:${code}`,
    title: 'The config was not taken; the one before goes on.',
    status: 422,
    detail: redact(reasonsOf(reloaded).join('\n')),
    code,
    revision,
    ...(retry !== undefined && { retry }),
    problems: [
      ...problems.map(({ location, message, ...rest }) => ({
        ...rest,
        place: formatLocation(location),
        message: redact(message),
      })),
      ...(error === undefined ? [] : [{ code: error.code, message: redact(error.message) }]),
    ],
  }
  return { problem }
}

/** For /ready: that the file on disk is not what runs, and why. */
export const reloadState = (
  refused: Refused | undefined,
  redact: (text: string) => string,
): { readonly refusedConfig?: readonly string[] } =>
  refused === undefined ? {} : { refusedConfig: reasonsOf(refused).map(redact) }
