import { readSourceText } from '../config/source-text.js'
import type { Rehearsal, Rehearsed } from '../dry-run/dry-run.js'
import { compactJson } from '../lib/json/compact.js'
import type { Captured } from './captured.js'
import { failureOf } from './compare.js'

/** JSON as it will be written: numbers and strings as the sender wrote them. */
export type Json = string

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
  events: readonly Captured[],
  rehearsal: Rehearsal,
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
    const rehearsed = await rehearsal.run(pipeline, request, { skipVerification: true })
    const summary = rehearsed.route ?? failureOf(rehearsed)?.code ?? rehearsed.outcome.kind
    const wanted = `${rehearsed.outcome.id ?? letter?.id ?? `line ${line}`}: ${summary}`
    const count = (names.get(wanted) ?? 0) + 1
    names.set(wanted, count)
    const doubt = doubtAbout(rehearsed, letter?.id)
    scenarios.push({
      name: count === 1 ? wanted : `${wanted} (${count})`,
      pipeline,
      body,
      expect: expectation(rehearsed),
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
  return readSourceText('', text).problems.length === 0 ? { event: compactJson(text) } : { text }
}

function doubtAbout(rehearsed: Rehearsed, id: string | undefined): string | undefined {
  const { outcome } = rehearsed
  if (outcome.kind === 'unavailable') return `ends in a fault on our side: ${outcome.error.message}`
  if (id !== undefined && outcome.id !== id)
    return `had the id ${JSON.stringify(id)}, which its body does not have: add the header it came with`
  return undefined
}

function expectation(rehearsed: Rehearsed): RecordedScenario['expect'] {
  const { outcome, answer, route, records, calls, steps } = rehearsed
  const [written] = records
  const failure = failureOf(rehearsed)
  const places = [...new Set(failure?.violations.map(({ pointer }) => pointer))]
  const stage = steps.find(({ decision }) => decision === 'dead-letter')?.stage
  const [call] = calls
  return {
    outcome: JSON.stringify(outcome.kind),
    ...(failure !== undefined && { code: JSON.stringify(failure.code) }),
    ...(places.length > 0 && { violations: JSON.stringify(places) }),
    answer: JSON.stringify({ status: answer.status }),
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
