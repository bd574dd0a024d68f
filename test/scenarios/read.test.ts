import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Problem } from '../../src/config/problem.js'
import { readScenarios, type Scenario } from '../../src/scenarios/read.js'
import { temporaryDirectory } from '../helpers/context.js'

const known = {
  file: 'plugins.config.json',
  pipelines: [
    {
      name: 'orders',
      rules: ['eu-west', 'otherwise'],
      topics: ['orders.eu', 'orders.dlq'],
      stages: ['transform.0.json-schema', 'transform.1.route', 'sink.kafka'],
    },
  ],
}
const two = {
  ...known,
  pipelines: [...known.pipelines, { ...known.pipelines[0], name: 'refunds' }],
} as typeof known

function read(text: string, names = known): { scenarios: readonly Scenario[]; problems: readonly Problem[] } {
  const cwd = temporaryDirectory({ 's.json': text, 'event.bin': 'as it is \xff' })
  const file = readScenarios(join(cwd, 's.json'), cwd)
  const held = file.ok ? file.text.scenarios(names) : file
  return held.ok ? { scenarios: held.scenarios, problems: [] } : { scenarios: [], problems: held.problems }
}

/** A file with one scenario; `expect` and what else stands in it. */
const one = (members: string) => `{ "scenarios": [ { "name": "a", ${members} } ] }`
const said = (text: string, names = known) =>
  read(text, names).problems.map(({ location, pointer, message, suggestion }) => ({
    at: `${location.line}:${location.column}`,
    pointer,
    message,
    suggestion,
  }))

test('an event is sent as it is written, on one line', () => {
  const { scenarios } = read(
    one(
      '"event": { "n": 9007199254740993, /* c */ "f": 1.0, "u": "\\u00e9", }, "expect": { "route": "eu-west" }',
    ),
  )
  expect(scenarios[0]?.body.toString()).toBe('{"n":9007199254740993,"f":1.0,"u":"\\u00e9"}')
})

test('a body can be a file, byte for byte, or text', () => {
  const fromFile = read(one('"file": "event.bin", "expect": { "outcome": "rejected" }'))
  expect(fromFile.scenarios[0]?.body).toEqual(Buffer.from('as it is \xff'))
  const text = read(one('"text": "{broken", "expect": { "outcome": "rejected" }'))
  expect(text.scenarios[0]?.body.toString()).toBe('{broken')
})

test('a request with a method needs no body', () => {
  const { scenarios, problems } = read(
    one('"method": "GET", "query": "challenge=a", "expect": { "outcome": "handshake" }'),
  )
  expect(problems).toEqual([])
  expect(scenarios[0]).toMatchObject({ method: 'GET', query: 'challenge=a', body: Buffer.of() })
  expect(said(one('"query": "challenge=a", "expect": { "outcome": "handshake" }'))).toMatchObject([
    { message: 'The scenario has no event.' },
  ])
})

test('header names are taken in any case, and the only pipeline is the one', () => {
  const { scenarios } = read(
    one('"event": 1, "headers": { "X-Id": "7" }, "expect": { "outcome": "delivered" }'),
  )
  expect(scenarios[0]).toMatchObject({ headers: { 'x-id': '7' }, pipeline: 'orders', verify: false })
})

test('every problem is reported at once, in the order of the file, with its place', () => {
  const problems = said(`{
  "pipline": "orders",
  "scenarios": [
    { "name": "a", "event": {}, "text": "", "expect": {} },
    { "name": "a", "expect": { "outcome": "deliverd", "route": "eu-wst" } },
    { "name": "c", "event": 1, "expect": { "route": "eu-wst", "topic": "order.eu", "code": "HG_SCHEMA_VIOLATON" } },
    { "name": "d", "file": "nope", "expect": { "deadLetter": { "stage": "transform.0.json-shema", "topic": "x" } } }
  ]
}`)
  expect(problems).toEqual([
    expect.objectContaining({ at: '2:3', pointer: '/pipline', suggestion: 'Did you mean "pipeline"?' }),
    expect.objectContaining({ at: '4:33', pointer: '/scenarios/0/text' }),
    expect.objectContaining({
      at: '4:55',
      pointer: '/scenarios/0/expect',
      message: 'This value should not be empty.',
    }),
    expect.objectContaining({ pointer: '/scenarios/1', message: 'The scenario has no event.' }),
    expect.objectContaining({ pointer: '/scenarios/1/name' }),
    expect.objectContaining({
      pointer: '/scenarios/1/expect/outcome',
      suggestion: 'Did you mean "delivered"?',
    }),
    expect.objectContaining({
      pointer: '/scenarios/2/expect/route',
      message: 'plugins.config.json has no rule "eu-wst".',
      suggestion: 'Did you mean "eu-west"?',
    }),
    expect.objectContaining({
      pointer: '/scenarios/2/expect/topic',
      suggestion: 'Did you mean "orders.eu"?',
    }),
    expect.objectContaining({
      pointer: '/scenarios/2/expect/code',
      suggestion: 'Did you mean "HG_SCHEMA_VIOLATION"?',
    }),
    expect.objectContaining({ pointer: '/scenarios/3/file' }),
    expect.objectContaining({
      pointer: '/scenarios/3/expect/deadLetter/stage',
      suggestion: 'Did you mean "transform.0.json-schema"?',
    }),
    expect.objectContaining({ pointer: '/scenarios/3/expect/deadLetter/topic', suggestion: undefined }),
  ])
})

test.each([
  ['an empty file', '', '1:1'],
  ['no JSON', '{ "scenarios": [', '1:17'],
  ['a key that stands twice', '{ "scenarios": [ { "name": "a", "name": "b" } ] }', '1:33'],
  ['no scenarios', '{ "scenarios": [] }', '1:16'],
  ['another shape', '[]', '1:1'],
  ['a code that no event can meet', one('"event": 1, "expect": { "code": "HG_CONFIG_SYNTAX" }'), '1:65'],
  ['an unknown pipeline', one('"event": 1, "pipeline": "order", "expect": { "key": null }'), '1:57'],
])('%s is refused with its place', (_name, text, at) => {
  expect(said(text)[0]?.at).toBe(at)
})

test('where there are several pipelines, one has to be named', () => {
  const text = one('"event": 1, "expect": { "key": null }')
  expect(said(text)).toEqual([])
  expect(said(text, two)).toEqual([expect.objectContaining({ pointer: '/scenarios/0' })])
  expect(said(text.replace('{', '{ "pipeline": "refunds",'), two)).toEqual([])
  expect(read(text.replace('"event"', '"pipeline": "refunds", "event"'), two).scenarios[0]?.pipeline).toBe(
    'refunds',
  )
})

test('a file that is not there is refused', () => {
  const cwd = temporaryDirectory()
  expect(readScenarios(join(cwd, 'none.json'), cwd)).toMatchObject({
    ok: false,
    problems: [{ code: 'HG_CONFIG_UNREADABLE', location: { file: 'none.json' } }],
  })
})

test('what `environment` gives is not shown with the lines of a broken file', () => {
  const cwd = temporaryDirectory({
    's.json': '{ "environment": { "TOKEN": "do-not-show" }, "scenarios": [] }',
  })
  const file = readScenarios(join(cwd, 's.json'), cwd)
  const held = file.ok ? file.text.scenarios(known) : file
  expect(held).toMatchObject({ ok: false, lines: [expect.stringContaining('"TOKEN"')] })
  expect(JSON.stringify(held)).not.toContain('do-not-show')
})
