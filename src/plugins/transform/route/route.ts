import { pointer } from '../../../json/pointer.js'
import { definePlugin, type Event, fail, type Target, type Verdict } from '../../../plugin.js'
import { Candidates } from './candidates.js'
import { problems } from './check.js'
import { type Condition, compileCondition, matches, type Subject, subjectOf } from './condition.js'
import { decision } from './decision.js'
import { explain } from './explain.js'
import { evaluationError } from './jsonata-error.js'
import { LINTS, lint } from './lint.js'
import { indexRules } from './rule-index.js'
import { RouteSettings } from './settings.js'

export const route = definePlugin({
  kind: 'transform',
  name: 'route',
  summary: 'Chooses the topic and partition of the event: rules in order, the first that matches decides.',
  config: RouteSettings,
  routes: true,

  rules: ({ rules }) => [...rules.map(({ name }) => name), 'otherwise'],
  check: (config, context) => problems(config, context),
  lints: LINTS,
  lint: (config, { ensured }) => lint(config, ensured),
  targets: (config) => [...targetsOf(config)],

  create(config, { metrics }) {
    const counts = metrics.counters(
      'route_matches_total',
      'Events by the rule that decided on them.',
      'rule',
      [...config.rules.map(({ name }) => name), 'otherwise'],
    )
    const payload = pointer(config.payload)
    const rules = config.rules.map(
      ({ name, when, to }): Rule => ({
        name,
        ...compileCondition(when),
        decide: decision(name, to, counts[name]),
      }),
    )
    const otherwise = decision('otherwise', config.otherwise, counts['otherwise'])
    const steps = indexRules(rules)

    /** Stays synchronous up to the first expression that has to be evaluated, which only a promise can answer. */
    function decide(event: Event, subject: Subject, candidates: Candidates): Verdict | Promise<Verdict> {
      for (let number = candidates.next(); number !== undefined; number = candidates.next()) {
        const rule = rules[number] as Rule
        const matching = matches(rule, subject)
        if (matching === true) return rule.decide(event)
        if (matching === false) continue
        return matching.then(
          (isMatch) => (isMatch ? rule.decide(event) : decide(event, subject, candidates)),
          (error) => fail(evaluationError(rule.name, error)),
        )
      }
      return otherwise(event)
    }

    return {
      apply(event) {
        const subject = subjectOf(event.body, payload)
        return decide(event, subject, new Candidates(steps, subject))
      },
      explain: (event) => explain(config, rules, payload, event),
    }
  },
})

interface Rule extends Condition {
  readonly name: string
  readonly decide: (event: Event) => Verdict
}

function* targetsOf({ rules, otherwise }: RouteSettings): Generator<{ at: string; target: Target }> {
  for (const [index, { to }] of rules.entries())
    if (typeof to === 'object') yield { at: `/rules/${index}/to`, target: to }
  if (typeof otherwise === 'object') yield { at: '/otherwise', target: otherwise }
}
