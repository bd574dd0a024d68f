import type { LintFinding, LintMeaning } from '../../../contract/index.js'
import { Budget } from '../../../lib/budget.js'
import { isSameNumber } from '../../../lib/json/exact-numbers.js'
import { type Condition, compileCondition } from './condition.js'
import { type Formula, type Term, type Text, termsOf } from './formula.js'
import { writtenNumber } from './formulas.js'
import { nodesOf } from './jsonata-syntax.js'
import { neverMatches } from './never-matches.js'
import { overlap, valuesOf, wordsOf } from './overlap.js'
import { isTooCostly } from './regex-cost.js'
import { matchesAnyText, regexFormula } from './regex-formula.js'
import type { Destination, RouteSettings, When } from './settings.js'

export const LINTS = {
  'rule-never-matches': {
    meaning:
      'A rule can never match: rules above it match whatever it matches, its condition contradicts itself, or the JSON Schema of an earlier stage lets no such value pass.',
    why: 'Its events go elsewhere in silence. Move it up, narrow the rule above it, correct the value, or delete it. Only what is certain is reported.',
  },
  'rules-overlap': {
    meaning:
      'Two rules that look at the same place both match some values, and neither is a special case of the other.',
    why: 'Which of them decides depends on their order alone, so that moving one moves events to another topic or partition.',
  },
  'regex-matches-anything': {
    meaning: 'A regex matches every text, since it matches the empty one and is not anchored.',
    why: 'The rule takes all events that come to it, as `a*` does where `a+` was meant. For all that is left there is `otherwise`.',
  },
  'regex-with-spaces': {
    meaning: 'A regex looks for a space between the parts of the JSON.',
    why: 'Without `at`, it is matched against the payload as compact JSON, which has no space after a colon or a comma. Write `\\s*`, or name the place with `at`.',
  },
  'number-beyond-double': {
    meaning: 'A JSONata expression has a number with more digits than a double holds.',
    why: 'JSONata takes 9007199254740993 for 9007199254740992. Only where a place is compared with the number by =, != or in, and the whole condition is made of such comparisons, do the digits that were sent decide.',
  },
  'regex-too-costly': {
    meaning:
      'A regex uses up its budget on a text of its own characters that `maxBody` of the source lets pass.',
    why: 'Such an event ends as bad data (HG_EVENT_TOO_COSTLY), and takes a good part of a second before.',
  },
} as const satisfies Readonly<{ [name: string]: LintMeaning }>

/** A rule, and what it asks of an event. */
export interface Facts {
  readonly name: string
  readonly index: number
  readonly when: When
  readonly to: Destination
  readonly condition: Condition
  readonly formula: Formula
  /** Every way for it to match; undefined where there are too many. */
  readonly terms: readonly Term[] | undefined
  /** Where it looks with a regex and nothing else; empty for any other rule. */
  readonly place: string
  /** The plain words that it looks for there. */
  readonly words: readonly Text[]
  /** What it compares one place with, if it does nothing else. */
  readonly values: readonly string[]
}

/** `ensured`: JSON Schemas that every event fits which comes here; `maxBody`: of the source, where it has one. */
export function* lint(
  { rules }: RouteSettings,
  ensured: readonly unknown[],
  maxBody?: number,
): Generator<LintFinding> {
  const facts = rules.map(({ name, when, to }, index): Facts => {
    const condition = compileCondition(when)
    const formula = formulaOf(condition)
    const terms = termsOf(formula)
    const known = { ...wordsOf(when, terms), values: valuesOf(terms) }
    return { name, index, when, to, condition, formula, terms, ...known }
  })
  const budget = new Budget()
  for (const rule of facts) yield* costFindings(rule, maxBody, budget)
  const dead = new Set<Facts>()
  for (const rule of facts) {
    const reason = neverMatches(rule, facts.slice(0, rule.index), ensured)
    if (reason === undefined) continue
    dead.add(rule)
    yield {
      at: `/rules/${rule.index}/name`,
      name: 'rule-never-matches' satisfies keyof typeof LINTS,
      message: `The rule "${rule.name}" can never match: ${reason}.`,
      suggestion: 'Move it up, narrow what stands above it, correct its condition, or delete it.',
    }
  }
  const alive = facts.filter((rule) => !dead.has(rule))
  for (const [index, rule] of alive.entries()) {
    yield* regexFindings(rule)
    yield* overlap(rule, alive.slice(0, index))
  }
}

function formulaOf({ when, formula }: Condition): Formula {
  const { regex } = when
  return {
    kind: 'and',
    parts: [
      ...(regex === undefined ? [] : [regexFormula(regex, when)]),
      ...(formula === undefined ? [] : [formula]),
    ],
  }
}

function* costFindings(
  { index, when: { regex, jsonata }, condition }: Facts,
  maxBody: number | undefined,
  budget: Budget,
): Generator<LintFinding> {
  if (regex !== undefined && condition.regex !== undefined && maxBody !== undefined)
    if (isTooCostly(condition.regex, regex, maxBody, budget))
      yield {
        at: `/rules/${index}/when/regex`,
        name: 'regex-too-costly' satisfies keyof typeof LINTS,
        message: `There are texts below maxBody (${maxBody} bytes) that this regex cannot get through.`,
        suggestion:
          'Make its repetitions shorter, let it look at one value with "at", or lower maxBody of the source.',
      }
  const { expression, formula } = condition
  if (jsonata === undefined || expression === undefined || formula === undefined || isExact(formula)) return
  for (const { type, value, position } of nodesOf(expression.ast)) {
    const digits = type === 'number' ? writtenNumber(jsonata, position) : undefined
    if (digits === undefined || isSameNumber(digits, String(Math.abs(Number(value))))) continue
    yield {
      at: `/rules/${index}/when/jsonata`,
      name: 'number-beyond-double' satisfies keyof typeof LINTS,
      message: `JSONata takes ${digits} for ${Math.abs(Number(value))}.`,
      suggestion: 'Compare it with "regex" and "at", which see the digits that were sent.',
    }
  }
}

/** True when the digits that were sent decide, because nothing has to be evaluated. */
const isExact = (formula: Formula): boolean =>
  formula.kind === 'and' || formula.kind === 'or' ? formula.parts.every(isExact) : formula.kind !== 'holds'

/** With `at`, these say that there is something at the place. */
const ANYTHING = new Set(['', '^', '$', '.*', '^.*', '.*$', '^.*$'])

function* regexFindings({ index, when: { regex, at, flags = '' } }: Facts): Generator<LintFinding> {
  if (regex === undefined) return
  const place = `/rules/${index}/when/regex`
  if (matchesAnyText(regex, flags, at === undefined) && !(at !== undefined && ANYTHING.has(regex))) {
    yield {
      at: place,
      name: 'regex-matches-anything' satisfies keyof typeof LINTS,
      message: 'This matches every text, for it matches the empty one.',
      suggestion:
        'Ask for at least one character, anchor it with ^ and $, or leave such events to "otherwise".',
    }
  }
  if (at === undefined && SPACED.test(regex)) {
    yield {
      at: place,
      name: 'regex-with-spaces' satisfies keyof typeof LINTS,
      message:
        'This looks for a space between the parts of the JSON, and the payload is matched as compact JSON.',
      suggestion: 'Write \\\\s* for the space, or name the place with "at".',
    }
  }
}

/** A space beside the colon or the comma that follows a quoted text, unless it may be missing. */
const SPACED = /" [:,]|"[:,] (?![*?])|"(?:\\s\*)[:,] (?![*?])/
