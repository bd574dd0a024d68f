import { expect, test } from 'vitest'
import type { RequestParts } from '../../../../src/contract/index.js'
import { route } from '../../../../src/plugins/transform/route/index.js'
import { config, event, nameIn, type Rules, stage } from './setup.js'

const PUSH: RequestParts = {
  method: 'POST',
  path: '/webhook/github',
  headers: { 'x-github-event': 'push', 'x-hub': 'a"b' },
  query: { tenant: 'acme' },
}

const chosen = async (when: Rules[string], request: RequestParts | undefined, value: unknown = { n: 1 }) =>
  nameIn(await stage({ matched: when }).apply(event(value, request)))

test.each<[Rules[string]]>([
  [{ at: 'header:X-GitHub-Event', regex: '^push$' }],
  [{ at: 'header:x-github-event', regex: 'us' }],
  [{ at: 'query:tenant', regex: '^acme$' }],
  [{ at: 'path', regex: '^/webhook/' }],
  [{ at: 'method', regex: '^POST$' }],
  [{ jsonata: '$headers."X-GitHub-Event" = "push"' }],
  [{ jsonata: '$headers.`x-github-event` in ["push", "ping"]' }],
  [{ jsonata: '$uppercase($headers."X-GITHUB-EVENT") = "PUSH"' }],
  [{ jsonata: '$query.tenant = "acme" and n = 1' }],
  [{ jsonata: '$contains($path, "github")' }],
  [{ jsonata: '$path = "/webhook/github"' }],
  [{ jsonata: '$method != "PUT"' }],
  [{ jsonata: '$headers."X-GitHub-Event" & "/" & $query.tenant = "push/acme"' }],
  [{ at: 'header:X-GitHub-Event', regex: 'push', jsonata: 'n = 1' }],
])('a rule reads the request: %j', async (when) => {
  expect(await chosen(when, PUSH)).toBe('matched')
  // Without the part, it neither matches nor fails.
  expect(await chosen(when, undefined)).toBe('otherwise')
  expect(await chosen(when, { headers: {}, query: {} })).toBe('otherwise')
})

test('the members of the event are not those of the request', async () => {
  const value = { headers: { 'X-GitHub-Event': 'pull' }, path: 'x' }
  expect(await chosen({ jsonata: 'headers."X-GitHub-Event" = "pull" and path = "x"' }, PUSH, value)).toBe(
    'matched',
  )
  expect(await chosen({ jsonata: '$headers."X-GitHub-Event" = "pull"' }, PUSH, value)).toBe('otherwise')
})

test.each(['null', '[]', '[{"n":1}]', '"text"'])('whatever the body is: %s', async (text) => {
  const value: unknown = JSON.parse(text)
  expect(await chosen({ jsonata: '$headers."X-GitHub-Event" = "push"' }, PUSH, value)).toBe('matched')
  expect(await chosen({ jsonata: '$string($headers."X-GitHub-Event") = "push"' }, PUSH, value)).toBe(
    'matched',
  )
})

test('the target is chosen, and the event keeps its request', async () => {
  const verdict = await stage({ a: { at: 'method', regex: 'POST' } }).apply(event({}, PUSH))
  expect(verdict).toMatchObject({ kind: 'pass', event: { request: PUSH, route: { name: 'a' } } })
})

test('each part that rules read is named with its setting, once for each', () => {
  const rules: Rules = {
    a: { at: 'header:X-GitHub-Event', regex: 'push' },
    b: { at: '/type', regex: 'x', jsonata: '$headers.`x-b` = "1" or $exists($headers."X-B") or $path = "/"' },
    c: { jsonata: 'headers.x = "$headers.y"' },
    d: { jsonata: '$query.q' },
  }
  expect(route.reads?.(config(rules))).toEqual([
    { at: '/rules/0/when/at', part: 'header:X-GitHub-Event' },
    { at: '/rules/1/when/jsonata', part: 'header:x-b' },
    { at: '/rules/1/when/jsonata', part: 'path' },
    { at: '/rules/3/when/jsonata', part: 'query:q' },
  ])
})

test('an explanation shows the parts and their values', async () => {
  const explain = async (when: Rules[string]) =>
    (await stage({ a: when }).explain?.(event({}, PUSH)))?.details[0]
  expect(await explain({ at: 'header:X-GitHub-Event', regex: 'push' })).toEqual({
    name: 'rule a',
    result: 'matched, to a by key',
    looked: [{ at: 'regex push in header:x-github-event', found: 'push' }],
  })
  expect(await explain({ jsonata: '$headers."X-GitHub-Event" = $query.tenant' })).toEqual({
    name: 'rule a',
    result: 'did not match',
    looked: [
      { at: 'jsonata $headers."X-GitHub-Event" = $query.tenant', found: 'false' },
      { at: 'header:x-github-event', found: '"push"' },
      { at: 'query:tenant', found: '"acme"' },
    ],
  })
})

test('a rule that another one above it covers is found, whatever the case of the header', () => {
  const settings = config({
    a: { at: 'header:X-GitHub-Event', regex: '^push' },
    b: { at: 'header:x-github-event', regex: '^push_tag$' },
    c: { jsonata: '$headers."X-Kind" = "a"' },
    d: { jsonata: '$headers.`x-kind` = "a" and n = 1' },
    e: { at: 'query:x', regex: '^push_tag$' },
  })
  const context = {
    ensured: [{ type: 'object', additionalProperties: false, properties: {} }],
    maxBody: undefined,
    exposed: false,
    deadLetters: true,
  }
  const found = [...(route.lint?.(settings, context as never) ?? [])]
  expect(found.map(({ name, at }) => [name, at])).toEqual([
    ['rule-never-matches', '/rules/1/name'],
    ['rule-never-matches', '/rules/3/name'],
  ])
})
