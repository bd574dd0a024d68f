import { HeadgateError } from '../../../contract/errors.js'
import type { CheckContext, ConfigProblem, LintFinding, LintMeaning } from '../../../contract/index.js'
import { Budget, STEPS } from '../../../lib/budget.js'
import { isSameNumber } from '../../../lib/json/decimal.js'
import type { Regex } from '../../../lib/regex.js'
import { type Condition, compileCondition, sharedRegex } from './condition.js'
import { expressionProblems } from './jsonata.js'
import { nodesOf } from './jsonata-syntax.js'
import { type Predicate, termsOf } from './predicate.js'
import { type Facts, neverMatches, overlap, valuesOf, wordsOf } from './rule-conflicts.js'
import type { Destination, RouteSettings, When } from './settings.js'
import { matchesAnyText, regexPredicate, writtenNumber } from './to-predicate.js'

/** The problems that the schema of the settings cannot express, all at once. */
export function problems(
  { rules, otherwise }: RouteSettings,
  { deadLetters }: CheckContext,
): ConfigProblem[] {
  const names = new Map([['otherwise', 'the events that no rule matches']])
  const found = rules.flatMap(({ name, when, to }, index) => {
    const at = `/rules/${index}`
    const inName = nameProblems(`${at}/name`, name, names)
    return [
      ...inName,
      ...whenProblems(`${at}/when`, when),
      ...destinationProblems(`${at}/to`, to, deadLetters),
    ]
  })
  return [...found, ...destinationProblems('/otherwise', otherwise, deadLetters)]
}

function nameProblems(at: string, name: string, names: Map<string, string>): ConfigProblem[] {
  const taken = names.get(name)
  if (taken === undefined) {
    names.set(name, `the rule at ${at.replace(/\/name$/, '')}`)
    return []
  }
  return [{ at, code: 'HG_CONFIG_CONFLICT', message: `The name "${name}" is already used for ${taken}.` }]
}

function whenProblems(at: string, { regex, at: path, flags, jsonata }: When): ConfigProblem[] {
  const missing = (message: string): ConfigProblem => ({ at, code: 'HG_CONFIG_MISSING_KEY', message })
  if (regex !== undefined) {
    return [
      ...thrownBy(`${at}/regex`, () => sharedRegex(regex, flags)),
      ...(jsonata === undefined ? [] : inExpression(`${at}/jsonata`, jsonata)),
    ]
  }
  return [
    ...(path === undefined ? [] : [missing('"at" says where "regex" looks, and there is no "regex" here.')]),
    ...(flags === undefined ? [] : [missing('"flags" belong to a "regex", and there is no "regex" here.')]),
    ...(jsonata === undefined
      ? [missing('A rule needs "regex", "jsonata" or both, and this one has neither.')]
      : inExpression(`${at}/jsonata`, jsonata)),
  ]
}

const inExpression = (at: string, text: string): ConfigProblem[] =>
  expressionProblems(text).map(({ from, to, ...problem }) => ({
    at,
    within: { from, to },
    code: 'HG_CONFIG_JSONATA',
    ...problem,
  }))

function thrownBy(at: string, compile: () => unknown): ConfigProblem[] {
  try {
    compile()
    return []
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error
    return [{ at, code: error.code, message: error.message }]
  }
}

function destinationProblems(at: string, to: Destination, deadLetters: boolean): ConfigProblem[] {
  if (to !== 'dead-letter' || deadLetters) return []
  return [
    {
      at,
      code: 'HG_CONFIG_CONFLICT',
      message: 'The pipeline has no topic for dead letters.',
      suggestion: 'Add "deadLetter": {"topic": "..."} to the pipeline.',
    },
  ]
}

export const LINTS = {
  'rule-never-matches': {
    meaning:
      'A rule can never match: rules above it match all that it matches, its condition contradicts itself, or the JSON Schema of an earlier stage rejects every such value.',
    why: 'Its events go elsewhere, and no error shows it. Move the rule up, narrow the rule above it, correct the value, or delete the rule. Only certain cases are reported.',
  },
  'rules-overlap': {
    meaning:
      'Two rules on the same value of the event both match some values, and neither is a special case of the other.',
    why: 'Only their order decides between them: moving a rule moves events to another topic or partition.',
  },
  'regex-matches-anything': {
    meaning: 'A regex matches every text, because it matches the empty text and is not anchored.',
    why: 'The rule matches every event that reaches it, for instance `a*` instead of `a+`. For all remaining events, use `otherwise`.',
  },
  'regex-with-spaces': {
    meaning: 'A regex looks for a space between the parts of the JSON.',
    why: 'Without `at`, it is matched against the payload as compact JSON, which has no space after a colon or a comma. Write `\\s*`, or select the value with `at`.',
  },
  'number-beyond-double': {
    meaning: 'A JSONata expression has a number with more digits than a double holds.',
    why: 'JSONata reads 9007199254740993 as 9007199254740992. The digits as sent decide only if the whole condition consists of comparisons of a value with a literal by =, != or in.',
  },
  'regex-too-costly': {
    meaning:
      'A regex exceeds its budget on a text of its own characters that is within `maxBody` of the source.',
    why: 'Headgate rejects such an event as bad data (HG_EVENT_TOO_COSTLY), after up to a second of work.',
  },
} as const satisfies Readonly<{ [name: string]: LintMeaning }>

/** `ensured`: JSON Schemas that every event fits when it reaches this stage; `maxBody`: of the source, if it has one. */
export function* lint(
  { rules }: RouteSettings,
  ensured: readonly unknown[],
  maxBody?: number,
): Generator<LintFinding> {
  const facts = rules.map(({ name, when, to }, index): Facts => {
    const condition = compileCondition(when)
    const predicate = predicateOf(condition)
    const terms = termsOf(predicate)
    const details = { ...wordsOf(when, terms), values: valuesOf(terms) }
    return { name, index, when, to, condition, predicate, terms, ...details }
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
      suggestion: 'Move the rule up, narrow the rules above it, correct its condition, or delete it.',
    }
  }
  const alive = facts.filter((rule) => !dead.has(rule))
  for (const [index, rule] of alive.entries()) {
    yield* regexFindings(rule)
    yield* overlap(rule, alive.slice(0, index))
  }
}

function predicateOf({ when, predicate }: Condition): Predicate {
  const { regex } = when
  return {
    kind: 'and',
    parts: [
      ...(regex === undefined ? [] : [regexPredicate(regex, when)]),
      ...(predicate === undefined ? [] : [predicate]),
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
        message: `On some texts within maxBody (${maxBody} bytes), this regex exceeds the work allowed for one event.`,
        suggestion:
          'Make its repetitions shorter, let it look at one value with "at", or lower maxBody of the source.',
      }
  const { expression, predicate } = condition
  if (jsonata === undefined || expression === undefined || predicate === undefined || isExact(predicate))
    return
  for (const { type, value, position } of nodesOf(expression.ast)) {
    const digits = type === 'number' ? writtenNumber(jsonata, position) : undefined
    if (digits === undefined || isSameNumber(digits, String(Math.abs(Number(value))))) continue
    yield {
      at: `/rules/${index}/when/jsonata`,
      name: 'number-beyond-double' satisfies keyof typeof LINTS,
      message: `JSONata reads ${digits} as ${Math.abs(Number(value))}.`,
      suggestion: 'Use "regex" and "at" instead, which see the digits as sent.',
    }
  }
}

/** True if the digits as sent decide, because no evaluation is needed. */
const isExact = (predicate: Predicate): boolean =>
  predicate.kind === 'and' || predicate.kind === 'or'
    ? predicate.parts.every(isExact)
    : predicate.kind !== 'holds'

/** With `at`, these only test that the value exists. */
const ANYTHING = new Set(['', '^', '$', '.*', '^.*', '.*$', '^.*$'])

function* regexFindings({ index, when: { regex, at, flags = '' } }: Facts): Generator<LintFinding> {
  if (regex === undefined) return
  const path = `/rules/${index}/when/regex`
  if (matchesAnyText(regex, flags, at === undefined) && !(at !== undefined && ANYTHING.has(regex))) {
    yield {
      at: path,
      name: 'regex-matches-anything' satisfies keyof typeof LINTS,
      message: 'This matches every text, because it matches the empty text.',
      suggestion:
        'Ask for at least one character, anchor it with ^ and $, or leave such events to "otherwise".',
    }
  }
  if (at === undefined && SPACED.test(regex)) {
    yield {
      at: path,
      name: 'regex-with-spaces' satisfies keyof typeof LINTS,
      message:
        'This looks for a space between the parts of the JSON, and the payload is matched as compact JSON.',
      suggestion: 'Write \\\\s* for the space, or select the value with "at".',
    }
  }
}

/** A space beside the colon or the comma that follows a quoted text, unless it may be missing. */
const SPACED = /" [:,]|"[:,] (?![*?])|"(?:\\s\*)[:,] (?![*?])/

/** Characters of each sample text. */
const SAMPLE = 8_192
/** Smaller programs are not costly enough, whatever the text. */
const FEWEST_INSTRUCTIONS = 40
const MOST_CHARACTERS = 6

/**
 * True when the regex certainly uses up its budget on some text of `maxBody` bytes: one made of two or three of its own
 * characters is long enough to tell. `budget`: for all patterns; when it is used up, nothing is certain.
 */
export function isTooCostly(regex: Regex, pattern: string, maxBody: number, budget: Budget): boolean {
  if (regex.size < FEWEST_INSTRUCTIONS || maxBody <= SAMPLE) return false
  const characters = [...new Set(`${pattern.replace(/\\[a-zA-Z]|\W|_/g, '')}a`)].slice(0, MOST_CHARACTERS)
  const most = (STEPS * SAMPLE) / maxBody
  for (const [index, first] of characters.entries()) {
    for (const second of characters.slice(index)) {
      if (budget.left < most) return false
      const spent = new Budget()
      try {
        regex.test(mixed(first, second), spent)
      } catch {
        return true
      }
      budget.left -= spent.spent + SAMPLE / 8
      // The first search fills the cache of states, which takes many steps once.
      if (spent.spent > most + FILLING) return true
    }
  }
  return false
}

const FILLING = 1_500_000

/** The same each time, without a period. */
function mixed(first: string, second: string): string {
  let seed = 1
  return Array.from({ length: SAMPLE }, () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return (seed >> 16) % 2 === 0 ? first : second
  }).join('')
}
