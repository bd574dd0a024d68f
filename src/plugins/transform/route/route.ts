import { pointer } from '../../../json/pointer.js'
import { definePlugin, type Event, fail, type Target, type Verdict } from '../../../plugin.js'
import { problems } from './check.js'
import { type Condition, compileCondition, textOf } from './condition.js'
import { decision } from './decision.js'
import { explain } from './explain.js'
import { evaluationError } from './jsonata-error.js'
import { LINTS, lint } from './lint.js'
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

    /**
     * Tries the rules from `first` on. Stays synchronous up to the first expression, which only a promise can answer.
     * `text` is the payload as compact JSON, made once and only when a rule looks at it.
     */
    function decide(event: Event, first: number, text?: string): Verdict | Promise<Verdict> {
      let payloadText = text
      for (let index = first; index < rules.length; index++) {
        const rule = rules[index] as Rule
        if (rule.regex !== undefined) {
          if (rule.at === undefined) payloadText ??= JSON.stringify(payload.read(event.body.value)) ?? ''
          const subject = rule.at === undefined ? payloadText : textOf(rule.at.read(event.body.value))
          if (subject === undefined || !rule.regex.test(subject)) continue
        }
        if (rule.expression === undefined) return rule.decide(event)
        return rule.expression.matches(event.body).then(
          (matches) => (matches ? rule.decide(event) : decide(event, index + 1, payloadText)),
          (error) => fail(evaluationError(rule.name, error)),
        )
      }
      return otherwise(event)
    }

    return {
      apply: (event) => decide(event, 0),
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
