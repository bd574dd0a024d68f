import type { HeadgateError } from '../../../contract/errors.js'
import type { Event, Explained, Explanation, JsonPointer } from '../../../contract/index.js'
import { compactText } from '../../../lib/json/exact-numbers.js'
import { type Condition, locatedText } from './condition.js'
import { evaluationError } from './jsonata-errors.js'
import type { Destination, RouteSettings } from './settings.js'

interface Rule extends Condition {
  readonly name: string
}

type Looked = Explained['looked'][number]

/** The result of evaluating one rule. */
type Trial = { readonly looked: readonly Looked[] } & (
  | { readonly matched: boolean }
  | { readonly failed: HeadgateError }
)

/**
 * Evaluates every rule, also those after the one that decides: an operator who reorders rules needs to see all
 * matches.
 */
export async function explain(
  { rules: settings, otherwise }: RouteSettings,
  rules: readonly Rule[],
  payload: JsonPointer,
  event: Event,
): Promise<Explanation> {
  const payloadText = compactText(event.body, payload) ?? ''
  let decided: { readonly rule?: string } | undefined
  const details: Explained[] = []
  for (const [index, rule] of rules.entries()) {
    const { name } = rule
    const trial = await evaluateRule(rule, settings[index]?.when ?? {}, payload, payloadText, event)
    const to = settings[index]?.to
    details.push({
      name: `rule ${name}`,
      result: resultOf(trial, decided !== undefined, to),
      looked: trial.looked,
    })
    if (decided !== undefined) continue
    if ('failed' in trial) decided = {}
    else if (trial.matched) decided = { rule: name }
  }
  const last = decided === undefined ? `matched, ${shown(otherwise)}` : 'not tried'
  details.push({ name: 'otherwise', result: last, looked: [] })
  return { ...(decided ?? { rule: 'otherwise' }), details }
}

async function evaluateRule(
  { name, regex, at, expression }: Rule,
  when: RouteSettings['rules'][number]['when'],
  payload: JsonPointer,
  payloadText: string,
  event: Event,
): Promise<Trial> {
  const looked: Looked[] = []
  if (regex !== undefined) {
    const subject = at === undefined ? payloadText : locatedText(event, at)
    const path = at === undefined ? `${payload.text || 'the body'} as JSON` : at.text || 'the body'
    const flags = when.flags === undefined ? '' : `, flags ${when.flags}`
    looked.push({ at: `regex ${when.regex}${flags} in ${path}`, found: subject ?? 'nothing' })
    try {
      if (subject === undefined || !regex.test(subject)) return { looked, matched: false }
    } catch (thrown) {
      return { looked, failed: evaluationError(name, thrown) }
    }
  }
  if (expression === undefined) return { looked, matched: true }
  const condition = `jsonata ${when.jsonata}`
  const paths = (await expression.look(event.body, event.request)).map(({ at, value }) => ({
    at,
    found: shownValue(value),
  }))
  try {
    const value = await expression.evaluate(event.body, undefined, event.request)
    looked.push({ at: condition, found: shownValue(value) }, ...paths)
    return { looked, matched: await expression.matches(event.body, undefined, event.request) }
  } catch (thrown) {
    const failed = evaluationError(name, thrown)
    looked.push({ at: condition, found: failed.message }, ...paths)
    return { looked, failed }
  }
}

const shownValue = (value: unknown): string => JSON.stringify(value) ?? 'nothing'

function resultOf(trial: Trial, late: boolean, to: Destination | undefined): string {
  if ('failed' in trial) return late ? 'not tried, would fail' : 'failed'
  if (late) return trial.matched ? 'not tried, would match too' : 'not tried, would not match'
  return trial.matched ? `matched, ${shown(to)}` : 'did not match'
}

function shown(to: Destination | undefined): string {
  if (to === undefined) return ''
  if (typeof to === 'string') return to
  return `to ${to.topic}${to.partition === undefined ? ' by key' : ` partition ${to.partition}`}`
}
