import { formatLocation } from '../config/problem.js'
import { type Refused, type Reloaded, reasonsOf } from '../pipeline/reload/outcome.js'

/** The admin API's response to a reload: the changes, or every problem with its location (RFC 9457). */
export function reloadResponse(
  reloaded: Reloaded,
  redact: (text: string) => string,
): { readonly done: object } | { readonly problem: object } {
  if (reloaded.result !== 'failure') return { done: reloaded }
  const { revision, problems, error, retry } = reloaded
  const code = problems[0]?.code ?? error?.code ?? 'HG_RELOAD_FAILED'
  const problem = {
    type: `urn:headgate:error:${code}`,
    title: 'The config cannot be used; the previous one keeps running.',
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

/** For /ready: the config file differs from the running config, and why. */
export const reloadState = (
  refused: Refused | undefined,
  redact: (text: string) => string,
): { readonly refusedConfig?: readonly string[] } =>
  refused === undefined ? {} : { refusedConfig: reasonsOf(refused).map(redact) }
