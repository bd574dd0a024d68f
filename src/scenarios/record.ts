import { SourceText } from '../config/source-text.js'
import type { DryRun, DryRunResult } from '../dry-run/dry-run.js'
import { compactJson } from '../lib/json/difference.js'
import { prettyLines } from '../lib/json/pretty-lines.js'
import { failureOf } from './run.js'

/** JSON as it will be written: numbers and strings as the sender wrote them. */
type Json = string

export interface RecordedScenario {
  readonly name: string
  readonly pipeline: string
  readonly body: { readonly event: Json } | { readonly text: string }
  readonly expect: Readonly<{ [name: string]: Json }>
  /** For people: the rule that decided, or the code, or how it ended. */
  readonly summary: string
  /** What a person has to look at; a sentence without its name. */
  readonly doubt?: string
}

/** Makes a scenario of each event that is not the same as another, expecting what happens to it now. */
export async function record(
  events: readonly CapturedEvent[],
  dryRun: DryRun,
  otherwise: string | undefined,
): Promise<RecordedScenario[]> {
  const seen = new Set<string>()
  const names = new Map<string, number>()
  const scenarios: RecordedScenario[] = []
  for (const { line, body: text, letter } of events) {
    const pipeline = letter?.pipeline ?? otherwise ?? ''
    const body = bodyOf(text)
    const identity = JSON.stringify([pipeline, body])
    if (seen.has(identity)) continue
    seen.add(identity)
    const request = { headers: { 'content-type': 'application/json' }, body: Buffer.from(text) }
    const result = await dryRun.run(pipeline, request, { skipVerification: true })
    const summary = result.route ?? failureOf(result)?.code ?? result.outcome.kind
    const wanted = `${result.outcome.id ?? letter?.id ?? `line ${line}`}: ${summary}`
    const count = (names.get(wanted) ?? 0) + 1
    names.set(wanted, count)
    const doubt = doubtAbout(result, letter?.id)
    scenarios.push({
      name: count === 1 ? wanted : `${wanted} (${count})`,
      pipeline,
      body,
      expect: expectation(result),
      summary,
      ...(doubt !== undefined && { doubt }),
    })
  }
  return scenarios
}

function bodyOf(text: string): RecordedScenario['body'] {
  try {
    JSON.parse(text)
  } catch {
    return { text }
  }
  // A file in which a key stands twice is refused, and so it has to be quoted.
  return new SourceText('', text).problems.length === 0 ? { event: compactJson(text) } : { text }
}

function doubtAbout(result: DryRunResult, id: string | undefined): string | undefined {
  const { outcome } = result
  if (outcome.kind === 'unavailable') return `ends in a fault on our side: ${outcome.error.message}`
  if (id !== undefined && outcome.id !== id)
    return `had the id ${JSON.stringify(id)}, which its body does not have: add the header it came with`
  return undefined
}

function expectation(result: DryRunResult): RecordedScenario['expect'] {
  const { outcome, response, route, records, calls, steps } = result
  const [written] = records
  const failure = failureOf(result)
  const places = [...new Set(failure?.violations.map(({ pointer }) => pointer))]
  const stage = steps.find(({ decision }) => decision === 'dead-letter')?.stage
  const [call] = calls
  return {
    outcome: JSON.stringify(outcome.kind),
    ...(failure !== undefined && { code: JSON.stringify(failure.code) }),
    ...(places.length > 0 && { violations: JSON.stringify(places) }),
    answer: JSON.stringify({ status: response.status }),
    ...(route !== undefined && { route: JSON.stringify(route) }),
    ...(written?.deadLetter && { deadLetter: JSON.stringify({ topic: written.topic, stage }) }),
    ...(written !== undefined && {
      ...(!written.deadLetter && { topic: JSON.stringify(written.topic) }),
      partition: JSON.stringify(written.partition ?? 'by key'),
      key: JSON.stringify(written.key),
      // A dead letter has the bytes that were received, which stand in the scenario already.
      ...(!written.deadLetter && { value: asJson(written.value.toString()) }),
    }),
    ...(call !== undefined && {
      acknowledge: `{"method":${JSON.stringify(call.method)},"url":${JSON.stringify(call.url)}${
        call.body === '' ? '' : `,"body":${asJson(call.body)}`
      }}`,
    }),
  }
}

function asJson(text: string): Json {
  const body = bodyOf(text)
  return 'event' in body ? body.event : JSON.stringify(text)
}

/** An event that came once. */
export interface CapturedEvent {
  readonly line: number
  /** As text: what is not UTF-8 never became an event. */
  readonly body: string
  /** Of a dead letter: where it was turned away, and the id it had. */
  readonly letter?: { readonly pipeline: string; readonly id: string }
}

interface CapturedEvents {
  readonly events: readonly CapturedEvent[]
  /** Lines that no scenario can be made of, and why. */
  readonly skipped: readonly string[]
}

/** Reads the lines of `headgate dlq export`, or bodies of events, one a line; both may stand in one file. */
export function readCaptured(text: string): CapturedEvents {
  const events: CapturedEvent[] = []
  const skipped: string[] = []
  for (const [index, body] of text.split(/\r?\n/).entries()) {
    const line = index + 1
    if (body.trim() === '') continue
    const letter = exportedLetter(body)
    if (letter === undefined) events.push({ line, body })
    else if (letter.valueEncoding !== 'utf-8') skipped.push(`line ${line} is not UTF-8`)
    else events.push({ line, body: letter.value, letter })
  }
  return { events, skipped }
}

interface ExportedLetter {
  readonly pipeline: string
  readonly id: string
  readonly value: string
  readonly valueEncoding: string
}

/** Undefined for what `headgate dlq export` did not write. */
function exportedLetter(line: string): ExportedLetter | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const letter = value as { readonly [name in keyof ExportedLetter | 'headers']?: unknown }
  const isLetter =
    Array.isArray(letter.headers) &&
    [letter.pipeline, letter.id, letter.value, letter.valueEncoding].every((text) => typeof text === 'string')
  return isLetter ? (value as ExportedLetter) : undefined
}

const WIDTH = 110

/** The text of a scenario file. `schema`: the path from the file to its editor schema, where there is one. */
export function scenarioFile(scenarios: readonly RecordedScenario[], schema: string | undefined): string {
  const pipelines = [...new Set(scenarios.map(({ pipeline }) => pipeline))]
  const several = pipelines.length > 1
  const members = [
    ...(schema === undefined ? [] : [member('  ', '$schema', JSON.stringify(schema))]),
    ...(several ? [] : [member('  ', 'pipeline', JSON.stringify(pipelines[0]))]),
    `  "scenarios": [\n${scenarios.map((scenario) => element(scenario, several)).join(',\n')}\n  ]`,
  ]
  return `{\n${members.join(',\n')}\n}\n`
}

function element({ name, pipeline, body, expect }: RecordedScenario, several: boolean): string {
  const indent = '      '
  const expected = Object.entries(expect).map(([name, json]) => member(`${indent}  `, name, json))
  const members = [
    member(indent, 'name', JSON.stringify(name)),
    ...(several ? [member(indent, 'pipeline', JSON.stringify(pipeline))] : []),
    'event' in body ? member(indent, 'event', body.event) : member(indent, 'text', JSON.stringify(body.text)),
    `${indent}"expect": {\n${expected.join(',\n')}\n${indent}}`,
  ]
  return `    {\n${members.join(',\n')}\n    }`
}

/** On one line where it fits, otherwise a value a line. */
function member(indent: string, name: string, json: Json): string {
  const lines = prettyLines(json).map(({ text }) => text)
  const start = `${indent}${JSON.stringify(name)}: `
  const oneLine = `${start}${lines.map((line) => line.trim()).join(' ')}`
  return oneLine.length <= WIDTH ? oneLine : `${start}${lines.join(`\n${indent}`)}`
}
