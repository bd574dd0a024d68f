import { HeadgateError } from '../../../contract/errors.js'
import {
  drop,
  type Event,
  type Explanation,
  fail,
  type JsonPointer,
  pass,
  type Transform,
  type Verdict,
  withRoute,
} from '../../../contract/index.js'
import { pointer } from '../../../lib/json/pointer.js'
import { atOnce, inSlices, nextTurn, type Slices } from '../../../lib/slices.js'
import { type Condition, compileCondition, matches, type Subject, subjectOf } from './condition.js'
import { explain } from './explain.js'
import { evaluationError } from './jsonata-errors.js'
import { indexRules, type Step } from './rule-index.js'
import type { Destination, RouteSettings } from './settings.js'
import { union } from './word-search.js'

/** Rules that are compiled in one go: 1 ms in general, 100 ms of the costliest patterns. */
const SLICE = 16

interface Table {
  readonly rules: readonly Rule[]
  readonly steps: readonly Step[]
}

export class Router implements Transform {
  readonly #config: RouteSettings
  readonly #counts: { readonly [rule: string]: { inc(): void } }
  readonly #payload: JsonPointer
  readonly #otherwise: (event: Event) => Verdict
  #table: Table | undefined

  constructor(config: RouteSettings, counts: { readonly [rule: string]: { inc(): void } }) {
    this.#config = config
    this.#counts = counts
    this.#payload = pointer(config.payload)
    this.#otherwise = decision('otherwise', config.otherwise, counts['otherwise'])
  }

  /** Thousands of rules take a second to compile, while another config may be taking events. */
  async start(): Promise<void> {
    this.#table ??= await inSlices(this.#compile())
  }

  apply(event: Event): Verdict | Promise<Verdict> {
    const subject = subjectOf(event, this.#payload)
    return this.#decide(event, subject, new Candidates(this.#compiled().steps, subject))
  }

  explain(event: Event): Promise<Explanation> {
    return explain(this.#config, this.#compiled().rules, this.#payload, event)
  }

  /** A dry run does not start its stages. */
  #compiled(): Table {
    this.#table ??= atOnce(this.#compile())
    return this.#table
  }

  *#compile(): Slices<Table> {
    const rules: Rule[] = []
    for (const { name, when, to } of this.#config.rules) {
      rules.push({ name, ...compileCondition(when), decide: decision(name, to, this.#counts[name]) })
      if (rules.length % SLICE === 0) yield
    }
    return { rules, steps: yield* indexRules(rules) }
  }

  /** Stays synchronous up to the first expression that has to be evaluated, which takes a promise. */
  #decide(event: Event, subject: Subject, candidates: Candidates): Verdict | Promise<Verdict> {
    const { rules } = this.#compiled()
    let spent = 0
    for (let number = candidates.next(); number !== undefined; number = candidates.next()) {
      const rule = rules[number] as Rule
      const matching = tryRule(rule, subject)
      if (matching === true) return rule.decide(event)
      spent += subject.budget.spent
      if (matching === false && spent < A_TURN) continue
      if (matching instanceof HeadgateError) return fail(matching)
      return this.#goOn(rule, matching, event, subject, candidates)
    }
    return this.#otherwise(event)
  }

  async #goOn(
    rule: Rule,
    matching: false | Promise<boolean>,
    event: Event,
    subject: Subject,
    candidates: Candidates,
  ): Promise<Verdict> {
    try {
      if (await matching) return rule.decide(event)
    } catch (error) {
      return fail(evaluationError(rule.name, error))
    }
    if (subject.budget.spent >= A_TURN || matching === false) await nextTurn()
    return this.#decide(event, subject, candidates)
  }
}

/** Steps after which other events have their turn, before the next rule: 30 to 60 ms. */
const A_TURN = 2_000_000

/** As `matches`; if the budget does not suffice, the error with the name of the rule. */
function tryRule(rule: Rule, subject: Subject): boolean | Promise<boolean> | HeadgateError {
  try {
    return matches(rule, subject)
  } catch (error) {
    return evaluationError(rule.name, error)
  }
}

interface Rule extends Condition {
  readonly name: string
  readonly decide: (event: Event) => Verdict
}

/** The numbers of the rules that may match one event, in order. Lazy: looks no further than the caller goes. */
export class Candidates {
  readonly #steps: readonly Step[]
  readonly #subject: Subject
  #step = 0
  /** Found by the steps so far; from `#next` on they have not been given out. */
  #found: readonly number[] = []
  #next = 0

  constructor(steps: readonly Step[], subject: Subject) {
    this.#steps = steps
    this.#subject = subject
  }

  /** Undefined if there are no more. */
  next(): number | undefined {
    for (;;) {
      const step = this.#steps[this.#step]
      const found = this.#found[this.#next]
      if (step === undefined || (found !== undefined && found < step.first)) {
        this.#next++
        return found
      }
      this.#step++
      if (step.lookUp === undefined) return step.first
      const more = step.lookUp(this.#subject)
      this.#found = found === undefined ? more : union([this.#found.slice(this.#next), more])
      this.#next = 0
    }
  }
}

/** The verdict on an event on which the rule `name` decides. As much of it as possible is made at load. */
export function decision(name: string, to: Destination, count?: { inc(): void }): (event: Event) => Verdict {
  const verdict = verdictOf(name, to)
  return (event) => {
    count?.inc()
    return verdict(event)
  }
}

function verdictOf(name: string, to: Destination): (event: Event) => Verdict {
  if (typeof to === 'object') {
    const route = { name, target: to }
    return (event) => pass(withRoute(event, route))
  }
  if (to === 'drop') return drop
  return () => ({ kind: to, error: refusal(name) })
}

const refusal = (name: string): HeadgateError =>
  name === 'otherwise'
    ? new HeadgateError('HG_ROUTE_NO_MATCH', 'No rule matches this event.', { rule: name })
    : new HeadgateError('HG_ROUTE_REFUSED', `The rule "${name}" refuses this event.`, { rule: name })
