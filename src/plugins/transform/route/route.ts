import { HeadgateError } from '../../../contract/errors.js'
import {
  definePlugin,
  type Event,
  type Explanation,
  fail,
  type JsonPointer,
  metric,
  type Target,
  type Transform,
  type Verdict,
} from '../../../contract/index.js'
import { pointer } from '../../../lib/json/pointer.js'
import { atOnce, inSlices, nextTurn, type Slices } from '../../../lib/slices.js'
import { Candidates } from './candidates.js'
import { problems } from './check.js'
import { type Condition, compileCondition, matches, type Subject, subjectOf } from './condition.js'
import { decision } from './decision.js'
import { explain } from './explain.js'
import { evaluationError } from './jsonata-error.js'
import { LINTS, lint } from './lint.js'
import { indexRules, type Step } from './rule-index.js'
import { RouteSettings } from './settings.js'

const MATCHES = metric({
  name: 'route_matches_total',
  type: 'counter',
  help: 'Events, by the rule that decided on them.',
  labels: { rule: [] },
})

export const route = definePlugin({
  kind: 'transform',
  name: 'route',
  summary: 'Chooses the topic and partition of the event: rules in order, the first that matches decides.',
  config: RouteSettings,
  routes: true,
  metrics: [MATCHES],

  rules: ({ rules }) => [...rules.map(({ name }) => name), 'otherwise'],
  check: (config, context) => problems(config, context),
  lints: LINTS,
  lint: (config, { ensured, maxBody }) => lint(config, ensured, maxBody),
  targets: (config) => [...targetsOf(config)],

  create: (config, { metrics }) => {
    const counts = metrics.counters(MATCHES, [...config.rules.map(({ name }) => name), 'otherwise'])
    return new Router(config, counts)
  },
})

/** Rules that are compiled in one go: 1 ms in general, 100 ms of the costliest patterns. */
const SLICE = 16

interface Table {
  readonly rules: readonly Rule[]
  readonly steps: readonly Step[]
}

class Router implements Transform {
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
    const subject = subjectOf(event.body, this.#payload)
    return this.#decide(event, subject, new Candidates(this.#compiled().steps, subject))
  }

  explain(event: Event): Promise<Explanation> {
    return explain(this.#config, this.#compiled().rules, this.#payload, event)
  }

  /** A stage that is only asked what it would do is not started. */
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

  /** Stays synchronous up to the first expression that has to be evaluated, which only a promise can answer. */
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

/** As `matches`; when the budget does not suffice, the error with the name of the rule. */
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

function* targetsOf({ rules, otherwise }: RouteSettings): Generator<{ at: string; target: Target }> {
  for (const [index, { to }] of rules.entries())
    if (typeof to === 'object') yield { at: `/rules/${index}/to`, target: to }
  if (typeof otherwise === 'object') yield { at: '/otherwise', target: otherwise }
}
