import { expect, test } from 'vitest'
import { explainCommand } from '../../src/commands/explain.js'
import { temporaryDirectory } from '../helpers/context.js'
import { dataAction, shippedFiles } from '../helpers/pipelines/shipped-config.js'
import { runCommand } from '../helpers/recorded-io.js'

const EVENT = dataAction('da-1', { region: 'eu-west' })

async function explained(
  options: { [name: string]: unknown } = {},
  {
    files = shippedFiles(),
    event = EVENT,
    env = {},
  }: { files?: { readonly [path: string]: string }; event?: string; env?: { [name: string]: string } } = {},
) {
  const cwd = temporaryDirectory({ ...files, 'event.json': event })
  return runCommand(explainCommand, { arguments: ['event.json'], options }, { cwd, env })
}

test('what would happen is told step by step, without a variable of the config set', async () => {
  const { code, out, err } = await explained()
  expect([code, err]).toEqual([0, ''])
  const steps = [
    '${env:CXONE_BASE_URL}',
    'source.http-webhook passes\n  verification: skipped: no header was given\n  event id: da-1 (at /dataActionId)',
    'transform.0.json-schema passes\n  schema ./schemas/cxone-data-action.schema.json: fits',
    'rule high-priority: did not match\n    regex "priority"\\s*:\\s*"high" in /payload as JSON: {"region":"eu-west"}',
    'rule eu-west: matched, to cxone.data.actions.eu partition 1',
    "    jsonata payload.region = 'eu-west': true",
    '  otherwise: not tried',
    'sink.kafka passes',
    'record\n  topic      cxone.data.actions.eu\n  partition  1\n  key        da-1\n',
    '    headgate-route     eu-west\n',
    '    {\n      "region": "eu-west"\n    }\n',
    'POST ${env:CXONE_BASE_URL}/api/v2/data/actions/da-1/acknowledge\n  authorization  Bearer <token>\n',
    'response to the sender\n  200\n',
    'It would be delivered to cxone.data.actions.eu by the rule eu-west.\n',
  ]
  let at = 0
  for (const step of steps) {
    expect(out).toContain(step)
    expect(out.indexOf(step), step).toBeGreaterThanOrEqual(at)
    at = out.indexOf(step)
  }
})

test('headers are checked as the source checks them; a wrong one is refused', async () => {
  const env = { WEBHOOK_TOKEN: 'letmein-please' }
  const header = ['Authorization: Bearer letmein-please']
  const known = await explained({ header }, { env })
  expect([known.code, known.out]).toEqual([0, expect.stringContaining('verification: bearer: proved')])
  expect(known.out).not.toContain('letmein-please')
  const wrong = await explained({ header: ['authorization: Bearer nobody'] }, { env })
  expect([wrong.code, wrong.out]).toEqual([1, expect.stringContaining('HG_INTAKE_UNAUTHENTICATED')])
  const skipped = await explained(
    { header: ['authorization: Bearer nobody'], skipVerification: true },
    { env },
  )
  expect([skipped.code, skipped.out]).toEqual([0, expect.stringContaining('because of --skip-verification')])
})

test('a handshake is tried with a method and a query', async () => {
  const handshake = '"handshake": { "form": "query", "parameter": "challenge" }, "eventId"'
  const files = Object.fromEntries(
    Object.entries(shippedFiles()).map(([path, text]) => [path, text.replace('"eventId"', handshake)]),
  )
  const { code, out } = await explained({ method: 'GET', query: 'challenge=abc' }, { files, event: '' })
  expect(code).toBe(0)
  expect(out).toContain('source.http-webhook answers the handshake of the sender')
  expect(out).toMatch(
    /response to the sender\n {2}200\n[\s\S]*\n {2}abc\n\nIt is a handshake, and brings no event\.\n/,
  )
})

test('without a value for its secret no header proves anything, and that is said', async () => {
  const { code, out } = await explained({ header: ['authorization: Bearer x'] })
  expect([code, out]).toEqual([0, expect.stringContaining('skipped: ${env:WEBHOOK_TOKEN} has no value here')])
})

test('an event that is refused exits with 1, and shows every violation and the response', async () => {
  const { code, out } = await explained({}, { event: '{"dataActionId":5}' })
  expect(code).toBe(1)
  for (const words of ['4 violations', '/eventType: is required', '/dataActionId: must be string', '  422\n'])
    expect(out).toContain(words)
  expect(out).toMatch(/It would be refused: HG_SCHEMA_VIOLATION\.\n/)
})

test('a dead letter and a dropped event are fine', async () => {
  const to = (destination: string) =>
    shippedFiles({
      'plugins.config.json'({ transforms }) {
        transforms[1].config.rules[1].to = destination
      },
    })
  const letter = await explained({}, { files: to('dead-letter') })
  expect([letter.code, letter.out]).toEqual([
    0,
    expect.stringContaining('dead letter\n  topic      cxone.data.actions.dlq'),
  ])
  const dropped = await explained({}, { files: to('drop') })
  expect([dropped.code, dropped.out]).toEqual([
    0,
    expect.stringContaining('It would be dropped by the rule eu-west.'),
  ])
})

test('as JSON it has the same, whole', async () => {
  const { code, out } = await explained({ json: true })
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({
    pipeline: 'cxone-data-actions',
    verification: { kind: 'skipped', why: 'no header was given' },
    unresolved: expect.arrayContaining([
      { pointer: '/pipelines/cxone-data-actions/sink/config/brokers', reference: '${env:KAFKA_BROKERS}' },
    ]),
    outcome: { kind: 'delivered', id: 'da-1' },
    route: 'eu-west',
    records: [
      { topic: 'cxone.data.actions.eu', partition: 1, value: '{"region":"eu-west"}', valueEncoding: 'utf-8' },
    ],
    acknowledge: [{ method: 'POST', body: '' }],
    response: { status: 200 },
  })
  const refused = await explained({ json: true }, { event: 'no json' })
  expect([refused.code, JSON.parse(refused.out).outcome]).toEqual([
    1,
    { kind: 'rejected', code: 'HG_INTAKE_NOT_JSON', message: expect.any(String) },
  ])
})

test('a long value is cut, and whole with --full; what could steer a terminal is written out', async () => {
  const list = Array.from({ length: 100 }, (_, index) => index)
  const event = dataAction('da-1', { region: 'eu-west', name: '\u202eevil', list })
  const cut = await explained({}, { event })
  expect(cut.out).toMatch(/\(\d+ more lines; --full gives all\)/)
  expect(cut.out).not.toContain('\u202e')
  expect(cut.out).toContain('\\u202eevil')
  const full = await explained({ full: true }, { event })
  expect(full.out).toMatch(/^ +99$/m)
})

test('an event comes from standard input too', async () => {
  const cwd = temporaryDirectory(shippedFiles())
  const stdin = async () => Buffer.from(EVENT)
  const { code, out } = await runCommand(explainCommand, { arguments: ['-'] }, { cwd, stdin })
  expect([code, out]).toEqual([0, expect.stringContaining('by the rule eu-west')])
})

test('wrong usage names what is wrong', async () => {
  const cwd = temporaryDirectory(shippedFiles())
  const missing = await runCommand(explainCommand, { arguments: ['none.json'] }, { cwd })
  expect([missing.code, missing.err]).toEqual([2, 'Cannot read none.json: there is no such file.\n'])
  const header = await explained({ header: ['no colon'] })
  expect([header.code, header.err]).toEqual([2, expect.stringContaining('"no colon"')])
  const pipeline = await explained({ pipeline: 'cxone-data-action' })
  expect([pipeline.code, pipeline.err]).toEqual([
    2,
    expect.stringContaining('Did you mean "cxone-data-actions"?'),
  ])
})

test('a config that is wrong is refused with all its problems; a reference in a transform needs its value', async () => {
  const files = shippedFiles({
    'plugins.config.json'({ transforms, sink }) {
      transforms[1].config.otherwise.topic = '${env:TOPIC}'
      sink.config.brokers = '${nope:X}'
    },
  })
  const { code, err } = await explained({}, { files })
  expect(code).toBe(78)
  for (const words of ['TOPIC is not set', 'There is no provider "nope"']) expect(err).toContain(words)
})

const onKind = shippedFiles({
  'plugins.config.json'({ transforms, sink }) {
    transforms[1].config.rules[1].when = { at: 'header:X-Kind', regex: '^push$' }
    sink.config.headers = { kind: 'header:x-kind', tenant: 'query:tenant' }
  },
})

test('a file can have the request, too', async () => {
  const request = { headers: { 'X-Kind': 'push' }, query: 'tenant=acme' }
  const event = `{ "request": ${JSON.stringify(request)}, "event": ${EVENT} }`
  const { code, out } = await explained({}, { files: onKind, event })
  expect(code).toBe(0)
  for (const words of [
    'verification: skipped: no header was given',
    'rule eu-west: matched',
    'regex ^push$ in header:x-kind: push',
    'kind               push',
    'tenant             acme',
  ])
    expect(out).toContain(words)
  const other = await explained({ header: ['X-Kind: pull'] }, { files: onKind, event })
  expect(other.out).toContain('regex ^push$ in header:x-kind: pull')
})

test('without the request, a rule finds nothing in it', async () => {
  expect((await explained({}, { files: onKind })).out).toContain('regex ^push$ in header:x-kind: nothing')
})
