import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'jsonc-parser'
import { describe, expect, test } from 'vitest'
import { testCommand } from '../../src/commands/test.js'
import { temporaryDirectory } from '../helpers/context.js'
import { runCommand } from '../helpers/recorded-io.js'

const read = (path: string) => readFileSync(path, 'utf8')
const CONFIG = 'docs/cookbook/dead-letters/plugins.config.json'
const SCHEMA = 'docs/cookbook/dead-letters/shipment.schema.json'

const scenario = (name: string, event: string, expected: string) =>
  `{ "name": "${name}", "event": ${event}, "expect": ${expected} }`
const EXPRESS = '{ "id": "1", "carrier": "dhl", "weight": 1, "express": true, "n": 9007199254740993 }'

/** The shipments of the cookbook with these scenarios. */
function shipments(files: { readonly [path: string]: readonly string[] }) {
  const scenarios = Object.entries(files).map(([path, list]) => [
    path,
    `{ "scenarios": [${list.join(',')}] }`,
  ])
  const cwd = temporaryDirectory({
    'plugins.config.json': read(CONFIG),
    'shipment.schema.json': read(SCHEMA),
    ...Object.fromEntries(scenarios),
  })
  const run = (options: object = {}, names: readonly string[] = [], io: object = {}) =>
    runCommand(testCommand, { arguments: names, options: { ...options } }, { cwd, ...io })
  return { cwd, run }
}

test('the shipped scenarios pass and reach every rule, with nothing set in the environment', async () => {
  const { code, out, err } = await runCommand(testCommand, { options: { requireCoverage: true } })
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^scenarios\/cxone-data-actions\.json\n {2}✓ high priority goes/)
  expect(out).toContain('10 scenarios, all pass.\n3 of 3 rules matched, "otherwise" included.\n')
})

test('all files beside the config are run, or those that are named', async () => {
  const passing = (name: string) => [scenario(name, EXPRESS, '{ "route": "express" }')]
  const { run } = shipments({
    'scenarios.json': passing('one'),
    'more.scenarios.json': passing('two'),
    'scenarios/x.json': passing('three'),
    'other.json': passing('four'),
  })
  expect((await run()).out).toMatch(/✓ two[\s\S]*✓ one[\s\S]*✓ three[\s\S]*3 scenarios, all pass/)
  const named = await run({}, ['other.json'])
  expect(named.out).toMatch(/^other\.json\n {2}✓ four\n\n1 scenario, all pass/)
})

test('a scenario that fails shows what differs, place by place, and what the rules saw', async () => {
  const expected = `{
    "outcome": "dead-lettered", "route": "otherwise", "partition": "by key", "key": null, "code": "HG_SCHEMA_VIOLATION",
    "response": { "status": 202, "body": { "id": "2" } },
    "headers": { "headgate-route": "otherwise", "nope": "x", "headgate-pipeline": null },
    "value": { "id": "1", "carrier": "dhl", "weight": 2, "express": true, "n": 9007199254740992 },
    "deadLetter": { "stage": "transform.1.route" }, "acknowledge": { "method": "PUT" }
  }`
  const { run } = shipments({ 'scenarios.json': [scenario('fails', EXPRESS, expected)] })
  const { code, out } = await run()
  expect(code).toBe(1)
  expect(out).toMatch(/✗ fails {2}scenarios\.json:\d+:\d+\n/)
  const difference = (field: string, expected: string, found: string) =>
    expect(out).toContain(`      ${field}\n        expected  ${expected}\n        found     ${found}\n`)
  difference('outcome', '"dead-lettered"', '"delivered"')
  difference('code', '"HG_SCHEMA_VIOLATION"', 'nothing')
  difference('response status', '202', '200')
  difference('response body /id', '"2"', '"1"')
  difference('route', '"otherwise"', '"express"')
  difference('partition', '"by key"', '0')
  difference('key', 'null', '"1"')
  difference('headers headgate-route', '"otherwise"', '"express"')
  difference('headers nope', '"x"', 'null')
  difference('headers headgate-pipeline', 'null', '"shipments"')
  difference('value /weight', '2', '1')
  difference('value /n', '9007199254740992', '9007199254740993')
  difference('deadLetter', 'true', 'false')
  difference('acknowledge', '{"method":"PUT"}', 'no request')
  expect(out).not.toContain('value /id')
  expect(out).toMatch(/rule legacy-carrier: did not match[\s\S]*rule express: matched/)
})

test('what is not named is not looked at, and exact text fits, too', async () => {
  const body = EXPRESS.replaceAll(' ', '')
  const { run } = shipments({
    'scenarios.json': [
      scenario('passes', EXPRESS, `{ "value": ${JSON.stringify(body)}, "acknowledge": false }`),
    ],
  })
  expect((await run()).code).toBe(0)
})

test('rules and dead letters that no scenario reached are named, and fail the run where that is asked for', async () => {
  const { run } = shipments({ 'scenarios.json': [scenario('one', EXPRESS, '{ "route": "express" }')] })
  const { code, out } = await run()
  expect(code).toBe(0)
  expect(out).toContain('1 of 3 rules matched, "otherwise" included; 0 of 1 stages made dead letters.\n')
  expect(out).toContain('warning: Rule legacy-carrier of shipments never matched in any scenario.\n')
  expect(out).toContain('warning: Rule otherwise of shipments never matched in any scenario.\n')
  expect(out).toContain('warning: No scenario of shipments has a dead letter from transform.0.json-schema.\n')
  const required = await run({ requireCoverage: true, junit: 'report.xml' })
  expect(required.code).toBe(1)
  expect(required.out).toContain('error: Rule otherwise of shipments')
})

test('--filter runs some, by their name, and then says nothing of coverage', async () => {
  const { run } = shipments({
    'scenarios.json': [
      scenario('Express goes first', EXPRESS, '{ "route": "express" }'),
      scenario('other', EXPRESS, '{ "route": "otherwise" }'),
    ],
  })
  const { code, out } = await run({ filter: 'express' })
  expect([code, out]).toEqual([0, 'scenarios.json\n  ✓ Express goes first\n\n1 scenario, all pass.\n'])
  expect((await run({ filter: 'nothing' })).code).toBe(2)
  expect((await run({ filter: 'express', requireCoverage: true })).code).toBe(2)
})

test('--json and --junit have the results for programs', async () => {
  const { cwd, run } = shipments({
    'scenarios.json': [
      scenario('good', EXPRESS, '{ "route": "express" }'),
      scenario('bad', EXPRESS, '{ "route": "otherwise" }'),
    ],
  })
  const { code, out } = await run({ json: true, junit: 'report.xml' })
  expect(code).toBe(1)
  expect(JSON.parse(out)).toMatchObject({
    scenarios: 2,
    failed: 1,
    results: [
      { file: 'scenarios.json', name: 'good', passed: true, route: 'express' },
      {
        name: 'bad',
        passed: false,
        differences: [{ field: 'route', expected: '"otherwise"', found: '"express"' }],
      },
    ],
    coverage: expect.arrayContaining([
      { pipeline: 'shipments', kind: 'rule', name: 'express', scenarios: 2 },
    ]),
  })
  expect(read(join(cwd, 'report.xml'))).toContain('tests="2" failures="1"')
})

test('colours are for terminals', async () => {
  const { run } = shipments({ 'scenarios.json': [scenario('one', EXPRESS, '{ "route": "express" }')] })
  expect((await run({}, [], { terminal: { out: true, err: true } })).out).toContain('\u001b[32m✓')
  expect((await run()).out).not.toContain('\u001b')
})

test('a broken file is shown with the place, and nothing is run', async () => {
  const { run } = shipments({
    'a.scenarios.json': [scenario('one', EXPRESS, '{ "route": "expres" }')],
    'b.scenarios.json': [scenario('two', EXPRESS, '{}')],
  })
  const { code, out, err } = await run()
  expect([code, out]).toEqual([1, ''])
  expect(err).toMatch(
    /a\.scenarios\.json:1:\d+ {2}\/scenarios\/0\/expect\/route\n[\s\S]*Did you mean "express"\?/,
  )
  expect(err).toMatch(/b\.scenarios\.json:1:\d+ {2}\/scenarios\/0\/expect\n/)
})

test('a broken config is shown once, and no scenarios at all are wrong usage', async () => {
  const { cwd, run } = shipments({
    'a.scenarios.json': [scenario('one', EXPRESS, '{ "route": "express" }')],
    'b.scenarios.json': [scenario('two', EXPRESS, '{ "route": "express" }')],
  })
  writeFileSync(join(cwd, 'plugins.config.json'), read(CONFIG).replace('"kafka"', '"kafk"'))
  const { code, err } = await run()
  expect([code, err.match(/Did you mean "kafka"\?/g)?.length]).toEqual([1, 1])
  expect((await shipments({}).run()).code).toBe(2)
})

test('a sender is verified where the scenario asks for it, with the secrets that the file gives', async () => {
  const { cwd, run } = shipments({})
  const signed = (token: string, status: number) =>
    `{ "name": "${token}", "event": ${EXPRESS}, "headers": { "Authorization": "Bearer ${token}" }, "verify": true,
       "expect": { "response": { "status": ${status} } } }`
  writeFileSync(
    join(cwd, 'scenarios.json'),
    `{ "environment": { "WEBHOOK_TOKEN": "right" }, "scenarios": [${signed('right', 200)}, ${signed('wrong', 401)}] }`,
  )
  expect((await run()).code).toBe(0)
})

const LETTER = (id: string, value: string, more: object = {}) =>
  JSON.stringify({ id, pipeline: 'shipments', headers: [], value, valueEncoding: 'utf-8', ...more })

test('--record makes scenarios of dead letters and captured events, and they pass', async () => {
  const { cwd, run } = shipments({})
  const lines = [
    LETTER('1', '{"id":"1", "carrier":"dhl","weight":"3 kg"}'),
    LETTER('2', '{"id":"2","carrier":"dhl","weight":1.0,"express":true,"n":9007199254740993}'),
    LETTER('2', '{"id":"2","carrier":"dhl","weight":1.0,"express":true,"n":9007199254740993}'),
    LETTER('by-header', '{"id":"3","carrier":"legacy","weight":1}'),
    LETTER('4', '/w==', { valueEncoding: 'base64' }),
    '{"id":"5","carrier":"dhl","weight":1}',
    '{"id":"5","carrier":"dhl","weight":2}',
    '{"id":"6","carrier":"dhl","weight":1,"twice":{"a":1,"a":2}}',
    '{broken',
    '',
  ]
  writeFileSync(join(cwd, 'letters.jsonl'), lines.join('\n'))
  const { code, out, err } = await run({ record: 'letters.jsonl', out: 'scenarios.json' })
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('7 scenarios written to scenarios.json; 1 event was the same as another:\n')
  expect(out).toContain('had the id "by-header", which is not in its body')
  expect(out).toContain('Left out: line 5 is not UTF-8.')

  const written = read(join(cwd, 'scenarios.json'))
  expect(written).toContain('"n": 9007199254740993')
  expect(written).toContain('"weight": 1.0')
  const tested = await run()
  expect(tested.out).toMatch(
    /✓ 1: HG_SCHEMA_VIOLATION\n.*✓ 2: express\n.*✓ 3: legacy-carrier\n.*✓ 5: otherwise\n.*✓ 5: otherwise \(2\)\n.*✓ 6: otherwise\n.*✓ line 9: HG_INTAKE_NOT_JSON\n/,
  )
  expect(tested.code).toBe(0)
})

describe('--record of a source that splits batches', () => {
  const ITEM = '{"id":"1", "carrier":"dhl","weight":"3 kg","n":9007199254740993}'

  async function recorded(split: object, lines: readonly string[], body: object = {}) {
    const { cwd, run } = shipments({})
    const config = parse(read(CONFIG)) as { pipelines: { shipments: { source: { config: object } } } }
    Object.assign(config.pipelines.shipments.source.config, { split, body })
    writeFileSync(join(cwd, 'plugins.config.json'), JSON.stringify(config))
    writeFileSync(join(cwd, 'letters.jsonl'), lines.join('\n'))
    expect(await run({ record: 'letters.jsonl', out: 'scenarios.json' })).toMatchObject({ code: 0, err: '' })
    const tested = await run()
    expect([tested.code, tested.err], tested.out).toEqual([0, ''])
    return read(join(cwd, 'scenarios.json'))
  }

  test.each([
    ['the body', '', {}, '"event": [ { "id": "1"'],
    ['a member', '/data/events', {}, '"event": { "data": { "events": [ { "id": "1"'],
    ['lines', '', { formats: ['ndjson'] }, '"headers": { "content-type": "application/x-ndjson" }'],
    ['a form', '', { formats: ['form'], jsonField: 'events' }, '"text": "events=%5B%7B%22id%22%3A%221%22'],
  ])('puts the event of a dead letter into a batch: %s', async (_what, at, body, written) => {
    const text = await recorded({ at }, [LETTER('1', ITEM)], body)
    expect(text.replaceAll(/\s+/g, ' ')).toContain(written)
    expect(text).toContain('9007199254740993')
    expect(text).toContain('"name": "1: HG_SCHEMA_VIOLATION"')
  })

  test('expects what each item of a batch becomes', async () => {
    const good = '{"id":"2","carrier":"dhl","weight":1.0,"express":true}'
    const text = await recorded({}, [`[${good},${ITEM}]`])
    const { scenarios } = parse(text) as { scenarios: readonly object[] }
    expect(scenarios).toMatchObject([
      {
        name: '2 and 1 more: express',
        expect: {
          items: [
            { outcome: 'delivered', route: 'express', key: expect.anything() },
            { code: 'HG_SCHEMA_VIOLATION', violations: ['/weight'] },
          ],
        },
      },
    ])
  })
})

test('what was recorded fails once the config makes something else of it', async () => {
  const { cwd, run } = shipments({})
  writeFileSync(join(cwd, 'events.jsonl'), '{"id":"5","carrier":"dhl","weight":1}')
  await run({ record: 'events.jsonl', out: 'scenarios.json' })
  writeFileSync(
    join(cwd, 'plugins.config.json'),
    read(CONFIG).replace('"topic": "shipments", ', '"topic": "elsewhere", '),
  )
  const { code, err } = await run()
  expect([code, err]).toEqual([1, expect.stringContaining('has no topic "shipments"')])
})

test('--record takes standard input, and makes the folder that --out names', async () => {
  const { cwd, run } = shipments({})
  const stdin = async () => Buffer.from('{"id":"5","carrier":"dhl","weight":1}\n')
  expect((await run({ record: '-', out: 'scenarios/new.json' }, [], { stdin })).code).toBe(0)
  expect(read(join(cwd, 'scenarios/new.json'))).toContain('"name": "5: otherwise"')
  expect((await run({ record: '-', out: 'scenarios/none.json' })).err).toBe('Standard input has no events.\n')
})

test('--record writes over nothing unless told to, and says what it lacks', async () => {
  const { cwd, run } = shipments({ 'scenarios.json': [] })
  writeFileSync(join(cwd, 'events.jsonl'), '{"id":"5","carrier":"dhl","weight":1}')
  const exists = await run({ record: 'events.jsonl', out: 'scenarios.json' })
  expect([exists.code, exists.err]).toEqual([1, 'scenarios.json exists; --force overwrites it.\n'])
  expect((await run({ record: 'events.jsonl', out: 'scenarios.json', force: true })).code).toBe(0)
  expect((await run({ record: 'events.jsonl' })).code).toBe(2)
  expect((await run({ record: 'none.jsonl', out: 'a.json' })).err).toContain('no such file')
  const other = await run({ record: 'events.jsonl', out: 'a.json', pipeline: 'shipment' })
  expect([other.code, other.err]).toEqual([2, expect.stringContaining('Did you mean "shipments"?')])
  expect(existsSync(join(cwd, 'a.json'))).toBe(false)
})

test('--record keeps the parts of the request that are known, and scenarios decide by them', async () => {
  const { cwd, run } = shipments({})
  const config = read(CONFIG).replace(
    '"jsonata": "express = true"',
    '"at": "header:X-Kind", "regex": "^express$"',
  )
  expect(config).not.toBe(read(CONFIG))
  writeFileSync(join(cwd, 'plugins.config.json'), config)
  const body = '{"id":"7","carrier":"dhl","weight":1}'
  const lines = [
    `{"request":{"headers":{"x-kind":"express"},"query":"a=1"},"event":${body}}`,
    LETTER('7', body, { request: { headers: { 'x-kind': 'other' } } }),
    body,
  ]
  writeFileSync(join(cwd, 'events.jsonl'), lines.join('\n'))
  expect((await run({ record: 'events.jsonl', out: 'scenarios.json' })).code).toBe(0)
  expect(read(join(cwd, 'scenarios.json'))).toContain(
    '"query": "a=1",\n      "headers": { "x-kind": "express" },\n      "event"',
  )
  const tested = await run()
  expect([tested.code, tested.out]).toEqual([
    0,
    expect.stringMatching(/✓ 7: express\n.*✓ 7: otherwise\n.*✓ 7: otherwise \(2\)\n/),
  ])
})
