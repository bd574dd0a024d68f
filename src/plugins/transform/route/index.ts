import { definePlugin, metric, type RequestRead, type Target } from '../../../contract/index.js'
import { isOfRequest } from '../../../lib/locator.js'
import { LINTS, lint, problems } from './checks.js'
import { partsRead } from './jsonata.js'
import { mayReadRequest } from './jsonata-request.js'
import { Router } from './route.js'
import { RouteSettings } from './settings.js'

const MATCHES = metric({
  name: 'route_matches_total',
  type: 'counter',
  help: 'Events, by the rule that decided on them. Redeliveries count again.',
  labels: { rule: [] },
})

export const route = definePlugin({
  kind: 'transform',
  name: 'route',
  summary: 'Chooses the topic and partition of the event: rules in order, the first that matches decides.',
  config: RouteSettings,
  routes: true,
  metrics: [MATCHES],

  rules: ({ rules, otherwise }) => [
    ...rules.map(({ name, to }) => ({ name, to })),
    { name: 'otherwise', to: otherwise },
  ],
  check: (config, context) => problems(config, context),
  lints: LINTS,
  lint: (config, { ensured, maxBody }) => lint(config, ensured, maxBody),
  targets: (config) => [...targetsOf(config)],
  reads: (config) => [...readsOf(config)],

  create: (config, { metrics }) => {
    const counts = metrics.counters(MATCHES, [...config.rules.map(({ name }) => name), 'otherwise'])
    return new Router(config, counts)
  },
})

function* targetsOf({ rules, otherwise }: RouteSettings): Generator<{ at: string; target: Target }> {
  for (const [index, { to }] of rules.entries())
    if (typeof to === 'object') yield { at: `/rules/${index}/to`, target: to }
  if (typeof otherwise === 'object') yield { at: '/otherwise', target: otherwise }
}

function* readsOf({ rules }: RouteSettings): Generator<RequestRead> {
  for (const [index, { when }] of rules.entries()) {
    const at = `/rules/${index}/when`
    if (when.at !== undefined && isOfRequest(when.at)) yield { at: `${at}/at`, part: when.at }
    if (when.jsonata === undefined || !mayReadRequest(when.jsonata)) continue
    for (const part of partsRead(when.jsonata)) yield { at: `${at}/jsonata`, part }
  }
}
