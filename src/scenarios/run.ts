import type { DryRun, DryRunCall, DryRunRecord, DryRunResult } from '../dry-run/dry-run.js'
import { isJson } from '../lib/json/body.js'
import { type Extras, jsonDifferences } from '../lib/json/difference.js'
import type { Expect } from './format.js'
import type { Scenario } from './read.js'

/** The result of a scenario, which has passed if there are no differences. */
export interface ScenarioResult {
  readonly scenario: Scenario
  readonly dryRun: DryRunResult
  readonly differences: readonly Difference[]
  /** Milliseconds. */
  readonly duration: number
}

/** The results of one file of scenarios. */
export interface FileResult {
  readonly file: string
  readonly results: readonly ScenarioResult[]
}

export const hasPassed = ({ differences }: ScenarioResult): boolean => differences.length === 0

/** Sent with every request, because a source may refuse a request without a Content-Type. */
const HEADERS = { 'content-type': 'application/json' }

export async function runScenario(scenario: Scenario, dryRun: DryRun): Promise<ScenarioResult> {
  const { pipeline, method, query, body, verify } = scenario
  const startedAt = performance.now()
  const request = {
    ...(method !== undefined && { method }),
    ...(query !== undefined && { query }),
    headers: { ...HEADERS, ...scenario.headers },
    body,
  }
  const result = await dryRun.run(pipeline, request, { skipVerification: !verify })
  return {
    scenario,
    dryRun: result,
    differences: differences(scenario, result),
    duration: performance.now() - startedAt,
  }
}

type Expected = Exclude<Expect['acknowledge'], undefined | boolean>

/** If several stages acknowledge the event, one of them has to match; the closest one is shown. */
export function acknowledgeDifferences(
  expected: Expect['acknowledge'],
  body: () => string,
  calls: readonly DryRunCall[],
): Difference[] {
  if (expected === undefined) return []
  const [call] = calls
  if (expected === false)
    return call === undefined ? [] : [{ field: 'acknowledge', expected: 'false', found: summary(call) }]
  if (call === undefined) return [{ field: 'acknowledge', expected: format(expected), found: 'no request' }]
  if (expected === true) return []
  const [nearest = []] = calls
    .map((call) => callDifferences(expected, body, call))
    .sort((a, b) => a.length - b.length)
  return nearest
}

function callDifferences(expected: Expected, body: () => string, call: DryRunCall): Difference[] {
  const found = (['method', 'url'] as const).flatMap((name): Difference[] =>
    expected[name] === undefined || expected[name] === call[name]
      ? []
      : [{ field: `acknowledge ${name}`, expected: format(expected[name]), found: format(call[name]) }],
  )
  return 'body' in expected
    ? [...found, ...jsonField('acknowledge body', body(), call.body, 'differ')]
    : found
}

const summary = ({ method, url }: DryRunCall): string => `${method} ${url}`

/** The expectation of a scenario, and its JSON text at a pointer below `expect`. */
interface Expectation {
  readonly expect: Expect
  written(pointer: string): string
}

/** The expectations that were not met, in the order of processing. */
function differences({ expect, written }: Expectation, result: DryRunResult): Difference[] {
  const found = eventDifferences({ expect, written }, result)
  const { items } = expect
  if (items === undefined) return found
  const results = result.items ?? [result]
  if (results.length !== items.length)
    return [...found, { field: 'items', expected: String(items.length), found: String(results.length) }]
  const ofItems = results.flatMap((item, index) =>
    eventDifferences(
      { expect: items[index] as Expect, written: (pointer) => written(`/items/${index}${pointer}`) },
      item,
    ).map((difference) => ({ ...difference, field: `item ${index + 1} ${difference.field}` })),
  )
  return [...found, ...ofItems]
}

function eventDifferences({ expect, written }: Expectation, result: DryRunResult): Difference[] {
  const { response, outcome, route, records } = result
  const [record] = records
  const error = failureOf(result)
  const found: Difference[] = []
  const compare = (field: string, expected: unknown, actual: unknown): void => {
    if (expected !== undefined && expected !== actual)
      found.push({ field, expected: format(expected), found: format(actual) })
  }
  compare('outcome', expect.outcome, outcome.kind)
  compare('code', expect.code, error?.code)
  const { violations } = expect
  if (violations !== undefined) {
    const pointers = [...new Set(error?.violations.map(({ pointer }) => pointer))]
    const [wanted, actual] = [violations, pointers].map((list) => format([...list].sort()))
    if (wanted !== undefined && actual !== undefined && wanted !== actual)
      found.push({ field: 'violations', expected: wanted, found: actual })
  }
  compare('response status', expect.response?.status, response.status)
  for (const [name, value] of Object.entries(expect.response?.headers ?? {}))
    compare(`response headers ${name}`, value, response.headers[name.toLowerCase()] ?? null)
  if (expect.response !== undefined && 'body' in expect.response)
    found.push(...jsonField('response body', written('/response/body'), response.body, 'ignored'))
  compare('route', expect.route, route)
  found.push(...deadLetterDifferences(expect.deadLetter, result))
  compare('topic', expect.topic, record?.topic)
  compare('partition', expect.partition, record && (record.partition ?? 'by key'))
  compare('key', expect.key, record?.key)
  for (const [name, value] of Object.entries(expect.headers ?? {}))
    compare(`headers ${name}`, value, record && headerOf(record, name))
  if ('value' in expect) {
    if (record === undefined) found.push({ field: 'value', expected: written('/value'), found: NOTHING })
    else found.push(...jsonField('value', written('/value'), record.value.toString(), 'differ'))
  }
  found.push(...acknowledgeDifferences(expect.acknowledge, () => written('/acknowledge/body'), result.calls))
  return found
}

/** Why an event was refused or became a dead letter. The outcome of a dead letter has no error, so it is taken from the stage. */
export const failureOf = ({ outcome, steps }: DryRunResult) =>
  'error' in outcome
    ? outcome.error
    : outcome.kind === 'dead-lettered'
      ? steps.find(({ decision }) => decision === 'dead-letter')?.error
      : undefined

function deadLetterDifferences(
  expected: Expect['deadLetter'],
  { records: [record], steps }: DryRunResult,
): Difference[] {
  if (expected === undefined) return []
  const isDeadLetter = record?.deadLetter ?? false
  if (typeof expected === 'boolean' || !isDeadLetter) {
    const wanted = expected !== false
    return isDeadLetter === wanted
      ? []
      : [{ field: 'deadLetter', expected: String(wanted), found: String(isDeadLetter) }]
  }
  const actual = {
    topic: record?.topic,
    stage: steps.find(({ decision }) => decision === 'dead-letter')?.stage,
  }
  return (['topic', 'stage'] as const).flatMap((name) =>
    expected[name] === undefined || expected[name] === actual[name]
      ? []
      : [{ field: `deadLetter ${name}`, expected: format(expected[name]), found: format(actual[name]) }],
  )
}

const headerOf = ({ headers }: DryRunRecord, name: string): string | null =>
  headers.find((header) => header.name === name)?.value ?? null

/** An expectation that was not met, as text. */
export interface Difference {
  /** As in the scenario: `topic`, `headers event-type`, `value /region`. */
  readonly field: string
  readonly expected: string
  readonly found: string
}

const NOTHING = 'nothing'

const format = (value: unknown): string => (value === undefined ? NOTHING : JSON.stringify(value))

/** Compares both as JSON, value by value. A JSON string that equals the whole text that was found matches too. */
function jsonField(field: string, expected: string, found: string, extras: Extras): Difference[] {
  const text = JSON.stringify(found)
  if (expected === text) return []
  if (!isJson(found)) return [{ field, expected, found: found === '' ? NOTHING : text }]
  return jsonDifferences(expected, found, extras).map(({ pointer, ...values }) => ({
    field: pointer === '' ? field : `${field} ${pointer}`,
    expected: values.expected ?? NOTHING,
    found: values.found ?? NOTHING,
  }))
}
