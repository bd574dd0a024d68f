import type { ErrorCode } from '../../../contract/errors.js'
import type { HttpResponse, Outcome } from '../../../contract/index.js'
import { problem } from '../../../http/problem.js'

const JSON_HEADERS = { 'content-type': 'application/json' }
const STATUS = { delivered: 200, duplicate: 200, dropped: 200, 'dead-lettered': 202 } as const

/** Compiles what the sender is told; `challenge` goes into WWW-Authenticate, `encodings` into Accept-Encoding. */
export function answerer(
  challenge: string | undefined,
  encodings: string,
): (outcome: Outcome) => HttpResponse {
  const headers: { [code in ErrorCode]?: { readonly [name: string]: string } } = {
    ...(challenge !== undefined && { HG_INTAKE_UNAUTHENTICATED: { 'www-authenticate': challenge } }),
    HG_INTAKE_MEDIA_TYPE: { accept: 'application/json' },
    HG_INTAKE_ENCODING: { 'accept-encoding': encodings },
    HG_INTAKE_STOPPING: { connection: 'close' },
  }
  return (outcome) => {
    const { kind, id } = outcome
    if (kind === 'rejected' || kind === 'unavailable')
      return problem(outcome.error, id, headers[outcome.error.code])
    const status = STATUS[kind]
    if (kind === 'dropped')
      return { status, headers: JSON_HEADERS, body: JSON.stringify({ id, outcome: kind }) }
    const { topic, partition, offset } = outcome.receipt
    const body = JSON.stringify({ id, outcome: kind, topic, partition, offset })
    return { status, headers: JSON_HEADERS, body }
  }
}
