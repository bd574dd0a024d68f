import type { Violation } from '../contract/errors.js'
import type { LoggedRecord, Position } from '../contract/index.js'
import { CONNECT, HEADER } from '../ledger/record-headers.js'
import { isAt, type LetterPlace } from './place.js'

/** What the headers of a dead letter tell; key and value stay in the log. */
export interface DeadLetter extends Position {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly id: string
  readonly digest: string
  readonly pipeline: string
  readonly revision: string | undefined
  /** The stage that turned the event away, as `transform.0.json-schema`, and its plugin. */
  readonly stage: string
  readonly plugin: string
  readonly code: string
  readonly message: string
  /** The rule that decided, or had chosen the target before. */
  readonly rule: string | undefined
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
  readonly violations: readonly Violation[]
}

/** Undefined where a record is not a dead letter of Headgate. */
export function deadLetterOf(record: LoggedRecord): DeadLetter | undefined {
  const { topic, partition, offset, timestamp } = record
  const id = record.header(HEADER.id)
  const digest = record.header(HEADER.digest)
  const pipeline = record.header(HEADER.pipeline)
  const code = record.header(`${CONNECT}exception.class.name`)
  if (id === undefined || digest === undefined || pipeline === undefined || code === undefined)
    return undefined
  return {
    topic,
    partition,
    offset,
    timestamp,
    id,
    digest,
    pipeline,
    revision: record.header(HEADER.revision),
    stage: record.header(HEADER.stage) ?? '',
    plugin: record.header(`${CONNECT}class.name`) ?? '',
    code,
    message: record.header(`${CONNECT}exception.message`) ?? '',
    rule: record.header(HEADER.route),
    traceparent: record.header(HEADER.traceparent),
    tracestate: record.header(HEADER.tracestate),
    violations: violationsOf(record.header(HEADER.violations)),
  }
}

/** As `headgate-replay-of` names a dead letter. */
export const nameOf = ({ topic, partition, offset }: Position): string => `${topic}-${partition}@${offset}`

/** Which dead letters are asked for. Times are milliseconds since the epoch. */
export interface LetterFilter {
  readonly code?: string
  /** A stage, or the name of a plugin. */
  readonly stage?: string
  readonly rule?: string
  readonly id?: string
  readonly since?: number
  readonly until?: number
  /** Only these; all where undefined. */
  readonly places?: readonly LetterPlace[]
}

export const matches = (letter: DeadLetter, filter: LetterFilter): boolean => {
  const { timestamp, id, stage, plugin, code, rule } = letter
  return (
    (filter.code === undefined || filter.code === code) &&
    (filter.stage === undefined || filter.stage === stage || filter.stage === plugin) &&
    (filter.rule === undefined || filter.rule === rule) &&
    (filter.id === undefined || filter.id === id) &&
    (filter.since === undefined || timestamp >= filter.since) &&
    (filter.until === undefined || timestamp <= filter.until) &&
    (filter.places === undefined || isAt(letter, filter.places))
  )
}

function violationsOf(header: string | undefined): readonly Violation[] {
  try {
    const found: unknown = header === undefined ? [] : JSON.parse(header)
    // Where somebody else wrote it, the message still tells what is wrong.
    return Array.isArray(found) ? found.filter(isViolation) : []
  } catch {
    return []
  }
}

const isViolation = (found: unknown): found is Violation =>
  typeof found === 'object' &&
  found !== null &&
  'pointer' in found &&
  'message' in found &&
  typeof found.pointer === 'string' &&
  typeof found.message === 'string'
