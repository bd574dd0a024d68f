import type { Rehearsed, RehearsedRecord } from '../dry-run/dry-run.js'
import { acknowledgeDifferences } from './acknowledge.js'
import { type Difference, jsonField, NOTHING, shown } from './difference.js'
import type { Expect } from './format.js'

/** The scenario's expectation, and its JSON as it is written (by its pointer below `expect`). */
export interface Expectation {
  readonly expect: Expect
  written(pointer: string): string
}

/** What of an expectation was not met, in the order in which the path of an event comes to it. */
export function differences({ expect, written }: Expectation, rehearsed: Rehearsed): Difference[] {
  const { answer, outcome, route, records } = rehearsed
  const [record] = records
  const error = failureOf(rehearsed)
  const found: Difference[] = []
  const compare = (field: string, expected: unknown, given: unknown): void => {
    if (expected !== undefined && expected !== given)
      found.push({ field, expected: shown(expected), found: shown(given) })
  }
  compare('outcome', expect.outcome, outcome.kind)
  compare('code', expect.code, error?.code)
  const { violations } = expect
  if (violations !== undefined) {
    const places = [...new Set(error?.violations.map(({ pointer }) => pointer))]
    const [wanted, given] = [violations, places].map((pointers) => shown([...pointers].sort()))
    if (wanted !== undefined && given !== undefined && wanted !== given)
      found.push({ field: 'violations', expected: wanted, found: given })
  }
  compare('answer status', expect.answer?.status, answer.status)
  if (expect.answer !== undefined && 'body' in expect.answer)
    found.push(...jsonField('answer body', written('/answer/body'), answer.body, 'ignored'))
  compare('route', expect.route, route)
  found.push(...deadLetterDifferences(expect.deadLetter, rehearsed))
  compare('topic', expect.topic, record?.topic)
  compare('partition', expect.partition, record && (record.partition ?? 'by key'))
  compare('key', expect.key, record?.key)
  for (const [name, value] of Object.entries(expect.headers ?? {}))
    compare(`headers ${name}`, value, record && headerOf(record, name))
  if ('value' in expect) {
    if (record === undefined) found.push({ field: 'value', expected: written('/value'), found: NOTHING })
    else found.push(...jsonField('value', written('/value'), record.value.toString(), 'differ'))
  }
  found.push(
    ...acknowledgeDifferences(expect.acknowledge, () => written('/acknowledge/body'), rehearsed.calls),
  )
  return found
}

/** Why an event was refused or became a dead letter: of a dead letter that a stage made, the stage knows. */
export const failureOf = ({ outcome, steps }: Rehearsed) =>
  outcome.kind === 'rejected' || outcome.kind === 'unavailable'
    ? outcome.error
    : outcome.kind === 'dead-lettered'
      ? steps.find(({ decision }) => decision === 'dead-letter')?.error
      : undefined

function deadLetterDifferences(
  expected: Expect['deadLetter'],
  { records: [record], steps }: Rehearsed,
): Difference[] {
  if (expected === undefined) return []
  const is = record?.deadLetter ?? false
  if (typeof expected === 'boolean' || !is) {
    const wanted = expected !== false
    return is === wanted ? [] : [{ field: 'deadLetter', expected: String(wanted), found: String(is) }]
  }
  const given = {
    topic: record?.topic,
    stage: steps.find(({ decision }) => decision === 'dead-letter')?.stage,
  }
  return (['topic', 'stage'] as const).flatMap((name) =>
    expected[name] === undefined || expected[name] === given[name]
      ? []
      : [{ field: `deadLetter ${name}`, expected: shown(expected[name]), found: shown(given[name]) }],
  )
}

const headerOf = ({ headers }: RehearsedRecord, name: string): string | null =>
  headers.find((header) => header.name === name)?.value ?? null
