import { SourceText } from '../config/source-text.js'
import type { DryRun, DryRunResult } from '../dry-run/dry-run.js'
import { compactJson } from '../lib/json/difference.js'
import { prettyLines } from '../lib/json/pretty-lines.js'
import type { WrittenRequest } from '../pipeline/request-parts.js'
import type { CapturedEvent } from './event-file.js'
import { failureOf } from './run.js'

/** JSON text with numbers and strings exactly as the sender wrote them. */
type Json = string

export interface RecordedScenario {
  readonly name: string
  readonly pipeline: string
  readonly request: WrittenRequest
  readonly body: { readonly event: Json } | { readonly text: string }
  readonly expect: Readonly<{ [name: string]: Json }>
  /** The rule that decided, or the code, or the outcome. */
  readonly summary: string
  /** Something that a person has to check; a sentence without its subject, which is the name of the scenario. */
  readonly doubt?: string
}

/** Makes one scenario of each distinct event; it expects the current result. */
export async function record(
  events: readonly CapturedEvent[],
  dryRun: DryRun,
  otherwise: string | undefined,
): Promise<RecordedScenario[]> {
  const seen = new Set<string>()
  const names = new Map<string, number>()
  const scenarios: RecordedScenario[] = []
  for (const event of events) {
    const { line, letter } = event
    const pipeline = letter?.pipeline ?? otherwise ?? ''
    const { text, request } = requestOf(event, pipeline, dryRun)
    const body = bodyOf(text)
    const identity = JSON.stringify([pipeline, body, request])
    if (seen.has(identity)) continue
    seen.add(identity)
    const headers = { 'content-type': 'application/json', ...request.headers }
    const result = await dryRun.run(
      pipeline,
      { ...request, headers, body: Buffer.from(text) },
      { skipVerification: true },
    )
    const summary = result.route ?? failureOf(result)?.code ?? result.outcome.kind
    const baseName = `${nameOf(result) ?? letter?.id ?? `line ${line}`}: ${summary}`
    const count = (names.get(baseName) ?? 0) + 1
    names.set(baseName, count)
    const doubt = doubtAbout(result, letter?.id)
    scenarios.push({
      name: count === 1 ? baseName : `${baseName} (${count})`,
      pipeline,
      request,
      body,
      expect: expectations(result),
      summary,
      ...(doubt !== undefined && { doubt }),
    })
  }
  return scenarios
}

/** The request of an event. A dead letter has the event alone, and its request may have brought others. */
function requestOf(
  { body, letter, contentType, request = {} }: CapturedEvent,
  pipeline: string,
  dryRun: DryRun,
): { readonly text: string; readonly request: WrittenRequest } {
  // With a media type of its own, the event is the whole body.
  if (letter === undefined || contentType !== undefined) return { text: body, request }
  const { headers, body: text } = dryRun.requestOf(pipeline, body)
  return Object.keys(headers).length === 0
    ? { text, request }
    : { text, request: { ...request, headers: { ...headers, ...request.headers } } }
}

/** The id of the event, or of the first of several. */
function nameOf({ outcome, items }: DryRunResult): string | undefined {
  if (items === undefined) return outcome.id
  return `${items[0]?.outcome.id ?? 'an event without id'} and ${items.length - 1} more`
}

function bodyOf(text: string): RecordedScenario['body'] {
  try {
    JSON.parse(text)
  } catch {
    return { text }
  }
  // A body with a duplicate key is quoted as text, because a scenario file must not have duplicate keys.
  return new SourceText('', text).problems.length === 0 ? { event: compactJson(text) } : { text }
}

function doubtAbout(result: DryRunResult, id: string | undefined): string | undefined {
  const { outcome } = result
  if (outcome.kind === 'unavailable')
    return `fails because of Headgate or the systems behind it, not because of the event: ${outcome.error.message}`
  if (id !== undefined && outcome.id !== id)
    return `had the id ${JSON.stringify(id)}, which is not in its body: add the header that contained it`
  return undefined
}

/** Of a request with several events: what each of them becomes. */
function expectations(result: DryRunResult): RecordedScenario['expect'] {
  const { items, response } = result
  if (items === undefined) return expectation(result)
  return { response: JSON.stringify({ status: response.status }), items: `[${items.map(itemOf).join(',')}]` }
}

/** The response is that to all of them. */
function itemOf(item: DryRunResult): Json {
  const { response: _, ...members } = expectation(item)
  const texts = Object.entries(members).map(([name, json]) => `${JSON.stringify(name)}:${json}`)
  return `{${texts.join(',')}}`
}

function expectation(result: DryRunResult): RecordedScenario['expect'] {
  const { outcome, response, route, records, calls, steps } = result
  const [written] = records
  const failure = failureOf(result)
  const pointers = [...new Set(failure?.violations.map(({ pointer }) => pointer))]
  const stage = steps.find(({ decision }) => decision === 'dead-letter')?.stage
  const [call] = calls
  return {
    outcome: JSON.stringify(outcome.kind),
    ...(failure !== undefined && { code: JSON.stringify(failure.code) }),
    ...(pointers.length > 0 && { violations: JSON.stringify(pointers) }),
    response: JSON.stringify({ status: response.status }),
    ...(route !== undefined && { route: JSON.stringify(route) }),
    ...(written?.deadLetter && { deadLetter: JSON.stringify({ topic: written.topic, stage }) }),
    ...(written !== undefined && {
      ...(!written.deadLetter && { topic: JSON.stringify(written.topic) }),
      partition: JSON.stringify(written.partition ?? 'by key'),
      key: JSON.stringify(written.key),
      // A dead letter has the received bytes, which are already in the scenario.
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

const WIDTH = 110

/** The text of a scenario file. `schema`: the path from the file to its editor schema, if there is one. */
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

function element({ name, pipeline, request, body, expect }: RecordedScenario, several: boolean): string {
  const { method, query, headers = {} } = request
  const indent = '      '
  const expected = Object.entries(expect).map(([name, json]) => member(`${indent}  `, name, json))
  const members = [
    member(indent, 'name', JSON.stringify(name)),
    ...(several ? [member(indent, 'pipeline', JSON.stringify(pipeline))] : []),
    ...(method === undefined ? [] : [member(indent, 'method', JSON.stringify(method))]),
    ...(query === undefined ? [] : [member(indent, 'query', JSON.stringify(query))]),
    ...(Object.keys(headers).length === 0 ? [] : [member(indent, 'headers', JSON.stringify(headers))]),
    'event' in body ? member(indent, 'event', body.event) : member(indent, 'text', JSON.stringify(body.text)),
    `${indent}"expect": {\n${expected.join(',\n')}\n${indent}}`,
  ]
  return `    {\n${members.join(',\n')}\n    }`
}

/** On one line if it fits, otherwise one value per line. */
function member(indent: string, name: string, json: Json): string {
  const lines = prettyLines(json).map(({ text }) => text)
  const start = `${indent}${JSON.stringify(name)}: `
  const oneLine = `${start}${lines.map((line) => line.trim()).join(' ')}`
  return oneLine.length <= WIDTH ? oneLine : `${start}${lines.join(`\n${indent}`)}`
}
