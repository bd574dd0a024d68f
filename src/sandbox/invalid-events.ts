import type { ErrorCode } from '../contract/errors.js'

/** A request that has to be refused, and how. */
export interface InvalidEvent {
  /** What is wrong with it, for the table. */
  readonly why: string
  readonly status: number
  readonly code: ErrorCode
  body(id: string): Buffer
  /** Sent instead of the right token. */
  readonly token?: string
}

const envelope = (id: string, payload: string): string =>
  `{"dataActionId":${JSON.stringify(id)},"eventType":"DataActionCreated","timestamp":"2025-06-01T08:00:00Z","payload":${payload}}`

export const INVALID_EVENTS: readonly InvalidEvent[] = [
  {
    why: 'wrong token',
    status: 401,
    code: 'HG_INTAKE_UNAUTHENTICATED',
    body: (id) => Buffer.from(envelope(id, '{"priority":"high"}')),
    token: 'not-the-token',
  },
  {
    why: 'not JSON',
    status: 400,
    code: 'HG_INTAKE_NOT_JSON',
    body: (id) => Buffer.from(envelope(id, '{"priority":"high"').slice(0, -1)),
  },
  {
    why: 'not UTF-8',
    status: 400,
    code: 'HG_INTAKE_NOT_UTF8',
    body: (id) => Buffer.from(envelope(id, '{"city":"Zürich"}'), 'latin1'),
  },
  {
    why: 'id stands twice',
    status: 400,
    code: 'HG_INTAKE_DUPLICATE_KEY',
    body: (id) => Buffer.from(`{"dataActionId":"other",${envelope(id, '{}').slice(1)}`),
  },
  {
    why: 'no id',
    status: 400,
    code: 'HG_INTAKE_NO_ID',
    body: (id) => Buffer.from(envelope(id, '{"priority":"high"}').replace('dataActionId', 'actionId')),
  },
  {
    why: 'against the schema',
    status: 422,
    code: 'HG_SCHEMA_VIOLATION',
    body: (id) => Buffer.from(envelope(id, '"a text and not an object"')),
  },
]
