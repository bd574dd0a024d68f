import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { report } from '../../src/commands/explain-report.js'
import { formatProblem } from '../../src/config/problem.js'
import { type CheckedConfig, readConfig } from '../../src/config/read.js'
import { DryRun } from '../../src/dry-run/dry-run.js'
import { explanationJson } from '../../src/dry-run/explanation.js'
import { plugins } from '../../src/plugins/index.js'
import type { Scenario } from '../../src/scenarios/read.js'
import { runScenario } from '../../src/scenarios/run.js'
import { temporaryDirectory } from '../helpers/context.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'
import { dataAction, shippedFiles } from '../helpers/pipelines/shipped-config.js'

const PIPELINE = 'cxone-data-actions'
const JSON_TYPE = { 'Content-Type': 'application/json' }
const SKIP = { skipVerification: true }

/** The shipped config, changed, on a machine that knows none of its variables. */
function shipped(
  // biome-ignore lint/suspicious/noExplicitAny: a config as people write it
  change: (pipeline: any) => void = () => {},
  environment: { [name: string]: string } = {},
): CheckedConfig {
  const cwd = temporaryDirectory(shippedFiles({ 'plugins.config.json': change }))
  const options = { plugins, environment, exposed: false, cwd, unresolved: 'placeholder' } as const
  const read = readConfig(join(cwd, 'plugins.config.json'), options)
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'))
  return read.config
}

const event = (payload: object) => Buffer.from(dataAction('da-1', payload))

const request = (body: Buffer, headers: { [name: string]: string } = JSON_TYPE) => ({ headers, body })

test('an event goes the way that it would go, down to the bytes of its record and the acknowledge request', async () => {
  const body = event({ region: 'eu-west', big: 1 })
  const result = await new DryRun(shipped()).run(PIPELINE, request(body), SKIP)
  expect(result.route).toBe('eu-west')
  expect(result.outcome).toEqual({
    kind: 'delivered',
    id: 'da-1',
    receipt: { topic: 'cxone.data.actions.eu', partition: 1, offset: 0 },
  })
  expect([result.response.status, JSON.parse(result.response.body).outcome]).toEqual([200, 'delivered'])
  const [record, ...others] = result.records
  expect(others).toEqual([])
  expect(record).toMatchObject({
    topic: 'cxone.data.actions.eu',
    partition: 1,
    key: 'da-1',
    value: Buffer.from('{"region":"eu-west","big":1}'),
    deadLetter: false,
  })
  expect(record?.headers.find(({ name }) => name === 'headgate-route')?.value).toBe('eu-west')
  expect(result.calls).toEqual([
    {
      stage: 'post-commit.0.cxone-ack',
      method: 'POST',
      url: '${env:CXONE_BASE_URL}/api/v2/data/actions/da-1/acknowledge',
      headers: {
        authorization: 'Bearer <token>',
        'content-type': 'application/json',
        'user-agent': 'headgate',
      },
      body: '',
    },
  ])
  expect(result.steps.map(({ stage, decision }) => `${stage} ${decision}`)).toEqual([
    'source.http-webhook pass',
    'transform.0.json-schema pass',
    'transform.1.route pass',
    'sink.kafka pass',
    'post-commit.0.cxone-ack pass',
  ])
})

test('every rule says what it looked at and whether it matched, also behind the one that decides', async () => {
  const body = event({ region: 'eu-west', priority: 'high' })
  const { steps, route } = await new DryRun(shipped()).run(PIPELINE, request(body), SKIP)
  expect(route).toBe('high-priority')
  expect(steps.find(({ plugin }) => plugin === 'route')).toMatchObject({
    rule: 'high-priority',
    details: [
      {
        name: 'rule high-priority',
        result: 'matched, to cxone.data.actions.high partition 0',
        looked: [
          {
            at: 'regex "priority"\\s*:\\s*"high" in /payload as JSON',
            found: '{"region":"eu-west","priority":"high"}',
          },
        ],
      },
      {
        name: 'rule eu-west',
        result: 'not tried, would match too',
        looked: [
          { at: "jsonata payload.region = 'eu-west'", found: 'true' },
          { at: 'payload.region', found: '"eu-west"' },
        ],
      },
      { name: 'otherwise', result: 'not tried', looked: [] },
    ],
  })
})

test('a rule whose expression fails ends the trying, and none decides', async () => {
  const config = shipped(({ transforms }) => {
    transforms[1].config.rules[0].when = { jsonata: '$uppercase(payload.count) = "A"' }
  })
  const { steps, route, response } = await new DryRun(config).run(
    PIPELINE,
    request(event({ count: 1 })),
    SKIP,
  )
  expect([response.status, route]).toEqual([422, 'high-priority'])
  const { details } = steps.find(({ plugin }) => plugin === 'route') ?? {}
  expect(details?.map(({ result }) => result)).toEqual(['failed', 'not tried, would not match', 'not tried'])
})

test('the rules of a pipeline are named in their order, with its topics', () => {
  const dryRun = new DryRun(shipped())
  expect(dryRun.pipelines).toEqual([PIPELINE])
  expect(dryRun.rules(PIPELINE)).toEqual(['high-priority', 'eu-west', 'otherwise'])
  expect(dryRun.topics(PIPELINE)).toContain('cxone.data.actions.dlq')
})

test('the source itself verifies and answers, unless verification is skipped', async () => {
  const dryRun = new DryRun(shipped(undefined, { WEBHOOK_TOKEN: 'letmein' }))
  const body = event({ region: 'x' })
  const unknown = await dryRun.run(PIPELINE, request(body))
  expect(unknown.outcome).toMatchObject({ kind: 'rejected', error: { code: 'HG_INTAKE_UNAUTHENTICATED' } })
  expect([unknown.response.status, unknown.records, unknown.calls]).toEqual([401, [], []])
  expect(unknown.response.headers['www-authenticate']).toBe('Bearer')
  const known = await dryRun.run(PIPELINE, request(body, { ...JSON_TYPE, Authorization: 'Bearer letmein' }))
  expect(known.outcome.kind).toBe('delivered')
  expect(known.steps[0]?.details).toEqual([
    { name: 'verification', result: 'bearer: proved', looked: [] },
    { name: 'event id', result: 'da-1', looked: [{ at: '/dataActionId', found: 'da-1' }] },
  ])
  const skipped = await dryRun.run(PIPELINE, request(body), SKIP)
  expect(skipped.steps[0]?.details[0]).toEqual({ name: 'verification', result: 'skipped', looked: [] })
})

test('a signed body is checked as it would be', async () => {
  const verify = { scheme: 'hmac', header: 'x-signature', secrets: ['${env:HOOK_SECRET}'] }
  const config = shipped(
    ({ source }) => {
      source.config.verify = verify
    },
    { HOOK_SECRET: 's3cret' },
  )
  const body = event({ region: 'x' })
  const signature = createHmac('sha256', 's3cret').update(body).digest('hex')
  const run = (signed: string) =>
    new DryRun(config).run(PIPELINE, request(body, { ...JSON_TYPE, 'x-signature': signed }))
  expect((await run(signature)).outcome.kind).toBe('delivered')
  expect((await run(`${signature.slice(2)}00`)).response.status).toBe(401)
})

test('a violation of the schema is shown with all the others, and refuses the event or makes a dead letter of it', async () => {
  const body = Buffer.from('{"dataActionId":"da-1","eventType":5}')
  const refused = await new DryRun(shipped()).run(PIPELINE, request(body), SKIP)
  expect([refused.response.status, refused.route, refused.records]).toEqual([422, undefined, []])
  const step = refused.steps.at(-1)
  expect(step).toMatchObject({
    plugin: 'json-schema',
    decision: 'reject',
    error: { code: 'HG_SCHEMA_VIOLATION' },
  })
  expect(step?.details[0]?.looked.length).toBeGreaterThan(1)
  expect(step?.error?.violations).toHaveLength(step?.details[0]?.looked.length ?? 0)

  const config = shipped(({ transforms }) => {
    transforms[0].onError = 'dead-letter'
  })
  const lettered = await new DryRun(config).run(PIPELINE, request(body), SKIP)
  expect([lettered.response.status, lettered.outcome.kind]).toEqual([202, 'dead-lettered'])
  expect(lettered.records).toEqual([
    expect.objectContaining({ topic: 'cxone.data.actions.dlq', deadLetter: true, value: body }),
  ])
  expect(lettered.calls).toHaveLength(1)
})

test('a rule that drops, refuses or dead-letters is the route all the same', async () => {
  const to = (destination: string) =>
    shipped(({ transforms }) => {
      transforms[1].config.rules[1].to = destination
    })
  const run = (destination: string) =>
    new DryRun(to(destination)).run(PIPELINE, request(event({ region: 'eu-west' })), SKIP)
  for (const [destination, kind, acknowledged] of [
    ['drop', 'dropped', 1],
    ['reject', 'rejected', 0],
    ['dead-letter', 'dead-lettered', 1],
  ] as const) {
    const { route, outcome, calls } = await run(destination)
    expect([route, outcome.kind, calls.length]).toEqual(['eu-west', kind, acknowledged])
  }
})

test('a request that the listener or the source refuses early is answered as it would be', async () => {
  const dryRun = new DryRun(
    shipped(({ source }) => {
      source.config.maxBody = '100B'
    }),
  )
  const run = (headers: { [name: string]: string }, body = event({ region: 'x' }), method = 'POST') =>
    dryRun.run(PIPELINE, { headers, body, method }, SKIP)
  expect((await run(JSON_TYPE)).response.status).toBe(413)
  expect((await run({}, Buffer.from('{}'))).response.status).toBe(415)
  const wrongMethod = await run(JSON_TYPE, Buffer.from('{}'), 'GET')
  expect([wrongMethod.response.status, wrongMethod.response.headers['allow']]).toEqual([405, 'POST'])
  expect([wrongMethod.outcome.kind, wrongMethod.steps]).toEqual(['rejected', []])
  expect((await run(JSON_TYPE, Buffer.from('{'))).outcome).toMatchObject({
    kind: 'rejected',
    error: { code: 'HG_INTAKE_NOT_JSON' },
  })
})

test('the same event twice is no redelivery, and runs at the same time do not mix', async () => {
  const dryRun = new DryRun(shipped())
  const run = (region: string) => dryRun.run(PIPELINE, request(event({ region })), SKIP)
  const results = await Promise.all([run('eu-west'), run('us'), run('eu-west')])
  expect(
    results.map(({ route, outcome, records, steps }) => [route, outcome.kind, records.length, steps.length]),
  ).toEqual([
    ['eu-west', 'delivered', 1, 5],
    ['otherwise', 'delivered', 1, 5],
    ['eu-west', 'delivered', 1, 5],
  ])
})

test('a partition that the key decides is known where the partitions are counted', async () => {
  const config = shipped(({ transforms }) => {
    transforms[1].config.otherwise = { topic: 'all' }
  })
  const run = (partitions: { [topic: string]: number }) =>
    new DryRun(config, { partitions }).run(PIPELINE, request(event({ region: 'x' })), SKIP)
  expect((await run({})).records[0]?.partition).toBeUndefined()
  expect((await run({})).outcome).toMatchObject({ receipt: { partition: -1 } })
  const counted = await run({ all: 6 })
  expect(counted.records[0]?.partition).toBeGreaterThanOrEqual(0)
  expect(counted.outcome).toMatchObject({ receipt: { partition: counted.records[0]?.partition } })
})

test('an acknowledgement that cannot be made is given up, with its reason', async () => {
  const config = shipped(({ transforms, postCommit }) => {
    transforms[1].config.otherwise = 'drop'
    postCommit[0].config.path = '/ack/{topic}/{id}'
  })
  const { outcome, steps, calls } = await new DryRun(config).run(
    PIPELINE,
    request(event({ region: 'x' })),
    SKIP,
  )
  expect([outcome.kind, calls]).toEqual(['dropped', []])
  expect(steps.at(-1)).toMatchObject({ decision: 'give-up', error: { code: 'HG_ACK_REQUEST' } })
})

test('an address that a reference brought is shown as the reference, so that scenarios hold on every machine', async () => {
  const config = shipped(undefined, {
    CXONE_BASE_URL: 'https://API.example.com:443/base/',
    CXONE_CLIENT_ID: 'x',
  })
  const { calls } = await new DryRun(config).run(PIPELINE, request(event({ region: 'x' })), SKIP)
  expect(calls[0]?.url).toBe('${env:CXONE_BASE_URL}/api/v2/data/actions/da-1/acknowledge')
  expect(config.placeholders.map(({ reference }) => reference)).not.toContain('${env:CXONE_BASE_URL}')
})

test('an event that came before goes its way by the id that it had, without asking the source', async () => {
  const body = Buffer.from('{"payload":{"region":"eu-west"}}')
  const config = shipped(({ transforms, sink }) => {
    transforms.shift()
    sink.config.key = undefined
  })
  const { outcome, response, route, steps } = await new DryRun(config).run(
    PIPELINE,
    { headers: {}, body },
    { id: 'known' },
  )
  expect([outcome, response.status, route]).toEqual([
    { kind: 'delivered', id: 'known', receipt: { topic: 'cxone.data.actions.eu', partition: 1, offset: 0 } },
    200,
    'eu-west',
  ])
  expect(steps[0]).toMatchObject({ decision: 'pass', details: [] })
})

test('what a condition has from a reference is shown, for it is no secret', async () => {
  const config = shipped(
    ({ transforms }) => {
      transforms[1].config.rules[0].when = { regex: '${env:PATTERN}' }
    },
    { PATTERN: 'not-for-everyone' },
  )
  const { steps } = await new DryRun(config).run(PIPELINE, request(event({ region: 'x' })), SKIP)
  expect(JSON.stringify(steps)).toContain('regex not-for-everyone in /payload as JSON')
})

test('a plugin that does not explain itself is shown by its verdict; without HTTP only known events can be run', async () => {
  const { definitions } = inlinePlugins()
  const read = readText(inlineConfig(), definitions)
  if (!read.ok) throw new Error('the config is wrong')
  const dryRun = new DryRun(read.config)
  const known = { headers: {}, body: Buffer.from('{"payload":{}}') }
  await expect(dryRun.run('orders', known)).rejects.toMatchObject({ code: 'HG_CONFIG_VALUE' })
  const { outcome, steps, calls } = await dryRun.run('orders', known, { id: 'a' })
  expect([outcome.kind, calls]).toEqual(['delivered', []])
  expect(steps.map(({ stage, decision, details }) => [stage, decision, details.length])).toEqual([
    ['source.inline', 'pass', 0],
    ['transform.0.everything', 'pass', 0],
    ['sink.memory', 'pass', 0],
    ['post-commit.0.tell', 'pass', 0],
  ])
})

test('a batch shows each of its events, and a scenario can expect them', async () => {
  const config = shipped(({ source }) => {
    source.config.split = { at: '/events' }
  })
  const dryRun = new DryRun(config)
  const body = Buffer.from(
    `{"events":[${dataAction('da-1', { region: 'eu-west' })},{"x":1},${dataAction('da-2', { region: 'eu-west' })}]}`,
  )
  const result = await dryRun.run(PIPELINE, request(body), SKIP)
  expect(result.items).toMatchObject([
    { route: 'eu-west', outcome: { kind: 'delivered', id: 'da-1' }, records: [{ key: 'da-1' }] },
    { outcome: { kind: 'rejected', error: { code: 'HG_INTAKE_NO_ID' } }, records: [] },
    { route: 'eu-west', outcome: { kind: 'delivered', id: 'da-2' }, records: [{ key: 'da-2' }] },
  ])
  expect(result).toMatchObject({ outcome: { kind: 'rejected' }, response: { status: 400 } })
  const text = report({ config, result }, { style: (_, shown) => shown, full: false })
  expect(text).toContain('item 2 of 3')
  expect(text).toMatch(/item 1: It would be delivered[^\n]*\nitem 2: It would be refused: HG_INTAKE_NO_ID/)
  expect(explanationJson({ config, result }).items?.map(({ route }) => route)).toEqual([
    'eu-west',
    null,
    'eu-west',
  ])

  const expecting = (items: readonly object[]) => {
    const expect = { outcome: 'rejected', items } as Scenario['expect']
    const base = {
      name: 'a',
      location: { file: 'f', line: 1, column: 1 },
      method: undefined,
      query: undefined,
    }
    return { ...base, pipeline: PIPELINE, headers: {}, body, verify: false, expect, written: () => '' }
  }
  const differences = async (items: readonly object[]) =>
    (await runScenario(expecting(items), dryRun)).differences.map(({ field }) => field)
  expect(await differences([{ route: 'eu-west' }, { code: 'HG_INTAKE_NO_ID' }, { key: 'da-2' }])).toEqual([])
  expect(await differences([{ route: 'x' }, {}, { key: 'y' }])).toEqual(['item 1 route', 'item 3 key'])
  expect(await differences([{}])).toEqual(['items'])
})

test('an empty batch is no event', async () => {
  const config = shipped(({ source }) => {
    source.config.split = {}
  })
  const result = await new DryRun(config).run(PIPELINE, request(Buffer.from('[]')), SKIP)
  expect(result).toMatchObject({
    outcome: { kind: 'dropped' },
    response: { status: 200 },
    steps: [],
    records: [],
  })
})
