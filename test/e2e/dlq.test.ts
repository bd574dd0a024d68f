import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { dlqDiscardCommand } from '../../src/commands/dlq/discard.js'
import { dlqExportCommand } from '../../src/commands/dlq/export.js'
import { dlqListCommand } from '../../src/commands/dlq/list.js'
import { dlqReplayCommand } from '../../src/commands/dlq/replay.js'
import { dlqShowCommand } from '../../src/commands/dlq/show.js'
import { startCxone } from '../../src/sandbox/cxone.js'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { type Kafka, startKafka } from '../../src/sandbox/kafka.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { DEAD_LETTER_TOPIC, TOPICS, WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { SHIPPED_CONFIG } from '../../src/sandbox/sandbox.js'
import { temporaryDirectory } from '../helpers/context.js'
import { environment, eventText } from '../helpers/processes/deployment.js'
import { runCommand } from '../helpers/recorded-io.js'

const SCHEMA = 'schemas/cxone-data-action.schema.json'

interface DeadLetters {
  readonly kafka: Kafka
  readonly cwd: string
  /** Runs a `headgate dlq` command. */
  dlq(
    command: Parameters<typeof runCommand>[0],
    options?: { [name: string]: unknown },
    ...places: string[]
  ): ReturnType<typeof runCommand>
  /** Changes the config and the schema as an operator would. */
  edit(config: (text: string) => string, schema: (text: string) => string): void
}

const strict = (schema: string) =>
  schema.replace(
    '"type": "object"\n    }\n  }',
    '"type": "object",\n      "required": ["region"]\n    }\n  }',
  )

/** Three events that the schema turns away, and one on which a rule decides, are in the dead-letter topic. */
async function deadLetters(): Promise<DeadLetters> {
  const kafka = await startKafka(TOPICS)
  onTestFinished(() => kafka.stop())
  const cxone = await startCxone({ clientId: 'test-client', clientSecret: 'test-secret' })
  onTestFinished(() => cxone.close())
  const cwd = temporaryDirectory({ [SCHEMA]: strict(readFileSync(resolve(SCHEMA), 'utf8')) })
  const file = join(cwd, 'plugins.config.json')
  const config = readFileSync(SHIPPED_CONFIG, 'utf8')
    .replace('"plugin": "json-schema",', '"plugin": "json-schema", "onError": "dead-letter",')
    .replace(
      '"rules": [',
      '"rules": [{ "name": "blocked", "when": { "regex": "blocked" }, "to": "dead-letter" },',
    )
  writeFileSync(file, config)
  const env = environment(kafka.bootstrap, cxone)
  const headgate = await startHeadgate({ config: file, env })
  onTestFinished(() => void headgate.kill('SIGKILL'))

  const post = async (id: string, payload: string) => {
    const response = await fetch(new URL(WEBHOOK_PATH, headgate.intake), {
      method: 'POST',
      headers: { authorization: `Bearer ${env['WEBHOOK_TOKEN']}`, 'content-type': 'application/json' },
      body: eventText(id, payload),
    })
    expect(response.status).toBe(202)
  }
  await post('high', '{"priority":"high","n":9007199254740993}')
  await post('no-region', '{ "priority" : "low" }')
  await post('wrong', '{"text":"\\u001b[31mred"}')
  await post('refused', '{"region":"eu-west","what":"blocked"}')
  await headgate.stop()
  return {
    kafka,
    cwd,
    dlq: (command, options = {}, ...places) =>
      runCommand(command, { options, arguments: places }, { cwd, env }),
    edit(change, changeSchema) {
      writeFileSync(file, change(readFileSync(file, 'utf8')))
      writeFileSync(join(cwd, SCHEMA), changeSchema(readFileSync(join(cwd, SCHEMA), 'utf8')))
    },
  }
}

const relaxed = (schema: string) => schema.replace(',\n      "required": ["region"]', '')

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

test('dead letters are listed, shown, exported, and replayed once the schema is right', async () => {
  const { kafka, cwd, dlq, edit } = await deadLetters()

  const list = await dlq(dlqListCommand, { wouldPass: true })
  expect([list.code, list.err]).toEqual([0, ''])
  expect(list.out).toMatch(/^time +place +id +stage +code +now +message\n/)
  expect(list.out).toContain('4 dead letters: 3 HG_SCHEMA_VIOLATION, 1 HG_ROUTE_REFUSED.')
  const json = lines((await dlq(dlqListCommand, { json: true, stage: 'json-schema' })).out)
  expect(json.map(({ id }) => id).sort()).toEqual(['high', 'no-region', 'wrong'])
  const [refused] = lines((await dlq(dlqListCommand, { json: true, rule: 'blocked' })).out)
  expect(refused).toMatchObject({
    id: 'refused',
    code: 'HG_ROUTE_REFUSED',
    stage: 'transform.1.route',
    status: 'open',
  })

  const wrong = json.find(({ id }) => id === 'wrong')
  expect(wrong.violations).toEqual([{ pointer: '/payload/region', message: 'is required' }])
  const show = await dlq(dlqShowCommand, {}, `${wrong.partition}:${wrong.offset}`)
  expect(show.out).toContain('/payload/region is required')
  expect(show.out).toMatch(/> +\d+ \| +"payload": \{/)
  expect(show.out).toMatch(/event-type +DataActionCreated/)
  expect(show.out).toContain('HG_SCHEMA_VIOLATION: The event does not match the schema')
  const raw = await dlq(dlqShowCommand, { raw: true }, `${wrong.partition}:${wrong.offset}`)
  expect(raw.out).toBe(eventText('wrong', '{"text":"\\u001b[31mred"}'))

  expect((await dlq(dlqReplayCommand, { yes: true })).out).toContain(
    'No dead letters sent.\nNot sent, and left in the topic (4):\n',
  )
  edit((text) => text, relaxed)
  expect(lines((await dlq(dlqListCommand, { json: true, onlyPassing: true })).out)).toHaveLength(3)
  const dry = await dlq(dlqReplayCommand)
  expect(dry.code).toBe(1)
  expect(dry.out).toContain('3 dead letters would be sent.')
  expect(dry.out).toMatch(/HG_ROUTE_REFUSED: The rule "blocked" refuses this event\.\nNothing was sent\./)
  expect(await written(kafka)).toEqual([])

  const replayed = await dlq(dlqReplayCommand, { yes: true, onlyPassing: true })
  expect([replayed.code, replayed.out]).toEqual([0, '3 dead letters sent.\n'])
  expect(await written(kafka)).toEqual([
    ['cxone.data.actions.default', 2, 'no-region', '{ "priority" : "low" }'],
    ['cxone.data.actions.default', 2, 'wrong', '{"text":"\\u001b[31mred"}'],
    ['cxone.data.actions.high', 0, 'high', '{"priority":"high","n":9007199254740993}'],
  ])

  expect((await dlq(dlqReplayCommand, { yes: true, onlyPassing: true })).out).toBe('No dead letters sent.\n')
  expect(await written(kafka)).toHaveLength(3)
  const after = await dlq(dlqListCommand)
  expect(after.out).toContain(
    '1 dead letter: 1 HG_ROUTE_REFUSED.\n3 more have been replayed or discarded; --all shows them.',
  )
  const all = lines((await dlq(dlqListCommand, { json: true, all: true, id: 'high' })).out)
  expect(all).toMatchObject([
    { status: 'replayed', replayedTo: { topic: 'cxone.data.actions.high', partition: 0, offset: 0 } },
  ])

  expect((await dlq(dlqExportCommand, { out: 'out.jsonl', all: true })).code).toBe(0)
  const exported = lines(readFileSync(join(cwd, 'out.jsonl'), 'utf8'))
  expect(exported.map(({ id }) => id).sort()).toEqual(['high', 'no-region', 'refused', 'wrong'])
  const high = exported.find(({ id }) => id === 'high')
  expect(high).toMatchObject({
    key: 'high',
    keyEncoding: 'utf-8',
    value: eventText('high', '{"priority":"high","n":9007199254740993}'),
    valueEncoding: 'utf-8',
  })
  expect(high.headers).toContainEqual({ name: 'headgate-event-id', value: 'high' })
  const again = await dlq(dlqExportCommand, { out: 'out.jsonl' })
  expect([again.code, again.err]).toEqual([1, 'out.jsonl exists; --force overwrites it.\n'])
  expect(lines((await dlq(dlqExportCommand, { out: '-' })).out)).toHaveLength(1)
})

test('dead letters are settled one by one: replayed with another body, or discarded with a reason', async () => {
  const { kafka, cwd, dlq } = await deadLetters()
  const listed = lines((await dlq(dlqListCommand, { json: true })).out)
  const placeOf = (name: string) => {
    const { partition, offset } = listed.find(({ id }) => id === name)
    return `${partition}:${offset}`
  }

  writeFileSync(join(cwd, 'fixed.json'), eventText('high', '{"priority":"high","region":"eu-west"}'))
  const dry = await dlq(dlqReplayCommand, { body: 'fixed.json' }, placeOf('high'))
  expect([dry.code, dry.out]).toEqual([0, expect.stringContaining('1 dead letter would be sent.')])
  expect(await written(kafka)).toEqual([])
  const sent = await dlq(dlqReplayCommand, { body: 'fixed.json', yes: true }, placeOf('high'))
  expect([sent.code, sent.out]).toEqual([0, '1 dead letter sent.\n'])
  const [record] = await readTopics(kafka.bootstrap, ['cxone.data.actions.high'])
  expect(record?.value.toString()).toBe('{"priority":"high","region":"eu-west"}')
  expect(record?.headers).toMatchObject({
    'headgate-event-id': 'high',
    'headgate-edited': 'true',
    'headgate-replay-of': expect.stringMatching(/^cxone\.data\.actions\.dlq-\d+@\d+$/),
  })
  const again = await dlq(dlqReplayCommand, { body: 'fixed.json', yes: true }, placeOf('high'))
  expect([again.code, again.out]).toEqual([
    1,
    expect.stringContaining('already replayed to cxone.data.actions.high 0:0'),
  ])
  expect(await written(kafka)).toHaveLength(1)

  const named = `cxone.data.actions.dlq:${placeOf('wrong')}`
  const plan = await dlq(dlqDiscardCommand, { reason: 'a test' }, named, placeOf('refused'))
  expect([plan.code, plan.out]).toEqual([
    0,
    expect.stringMatching(/^2 dead letters would be discarded: .*\nWould be discarded \(2\):\n/),
  ])
  expect(lines((await dlq(dlqListCommand, { json: true })).out)).toHaveLength(3)
  const discarded = await dlq(dlqDiscardCommand, { reason: 'a test', yes: true }, named, placeOf('refused'))
  expect([discarded.code, discarded.out]).toEqual([0, '2 dead letters discarded.\n'])
  const twice = await dlq(dlqDiscardCommand, { reason: 'a test', yes: true }, named, '0:99999')
  expect(twice.code).toBe(1)
  expect(twice.out).toContain('already discarded: a test')
  expect(twice.out).toContain('0:99999  this pipeline has no such dead letter')

  expect(lines((await dlq(dlqListCommand, { json: true })).out).map(({ id }) => id)).toEqual(['no-region'])
  const all = lines((await dlq(dlqListCommand, { json: true, all: true, id: 'wrong' })).out)
  expect(all).toMatchObject([
    { status: 'discarded', discarded: { reason: 'a test', by: expect.stringContaining('process ') } },
  ])
  expect((await dlq(dlqShowCommand, {}, named)).out).toMatch(/status +discarded: a test/)
  expect((await dlq(dlqReplayCommand, { yes: true, id: 'wrong' })).out).toBe('No dead letters sent.\n')
})

test('with a key of the process, dead letters that it does not prove are shown, and sent only by force', async () => {
  const { kafka, cwd, dlq, edit } = await deadLetters()
  edit((text) => text, relaxed)
  writeFileSync(join(cwd, 'record.key'), 'a key that Headgate did not have')
  const withKey: typeof dlq = (command, options, ...places) =>
    dlq(command, { recordKeyFile: 'record.key', ...options }, ...places)
  const listed = lines((await withKey(dlqListCommand, { json: true })).out)
  expect(listed.map(({ status }) => status)).toEqual(['unknown', 'unknown', 'unknown', 'unknown'])
  expect((await withKey(dlqListCommand)).out).toContain('4 of them are unknown: ')
  const { partition, offset } = listed.find(({ id }) => id === 'high')
  const place = `${partition}:${offset}`
  expect((await withKey(dlqShowCommand, {}, place)).out).toMatch(
    /status +unknown: .*HEADGATE_RECORD_KEY_FILE/,
  )

  const refused = await withKey(dlqReplayCommand, { yes: true }, place)
  expect([refused.code, refused.out]).toEqual([
    1,
    expect.stringMatching(
      /^No dead letters sent\.\n.*\n.*not proven by the key .*--force sends it all the same/,
    ),
  ])
  expect(await written(kafka)).toEqual([])
  const forced = await withKey(dlqReplayCommand, { yes: true, force: true }, place)
  expect([forced.code, forced.out]).toEqual([0, '1 dead letter sent.\n'])
  const again = await withKey(dlqReplayCommand, { yes: true, force: true }, place)
  expect([again.code, again.out]).toEqual([1, expect.stringContaining('already replayed to')])
  const discarded = await withKey(dlqDiscardCommand, { reason: 'forged', yes: true, until: 'now' })
  expect(discarded.out).toBe('3 dead letters discarded.\n')
  expect((await withKey(dlqListCommand)).out).toMatch(/^No dead letters\./)
  // Another command without the key has the notes as they are.
  expect(lines((await dlq(dlqListCommand, { json: true, all: true })).out)).toHaveLength(4)
})

test.each([
  [
    dlqDiscardCommand,
    { reason: 'x' },
    [],
    /Select dead letters: by position, such as 0:12, or with a filter/,
  ],
  [dlqDiscardCommand, {}, ['0:1'], /Give the reason with --reason/],
  [dlqDiscardCommand, { reason: 'x' }, ['first'], /such as 0:12, or topic:0:12; it is "first"/],
  [dlqReplayCommand, { body: 'event.json' }, [], /--body replaces the bytes of one dead letter/],
  [dlqReplayCommand, { body: 'event.json' }, ['0:1', '0:2'], /--body replaces the bytes of one dead letter/],
] as const)('wrong usage is refused before Kafka is asked', async (command, options, places, said) => {
  const { code, err } = await runCommand(command, { options, arguments: [...places] })
  expect([code, err]).toEqual([2, expect.stringMatching(said)])
})

/** Begins with a byte order mark, and is no UTF-8. */
const BINARY = Buffer.from([0xef, 0xbb, 0xbf, 0x1f, 0x8b, 0x08, 0x00, 0xff, 0x0a])

const rawConfig = (otherwise: string | object) => ({
  pipelines: {
    files: {
      source: {
        plugin: 'http-webhook',
        config: {
          path: '/files',
          eventId: 'digest',
          verify: { scheme: 'bearer', tokens: ['${env:WEBHOOK_TOKEN}'] },
          body: { formats: ['raw'] },
        },
      },
      transforms: [{ plugin: 'route', config: { rules: [], otherwise } }],
      sink: { plugin: 'kafka', config: { brokers: '${env:KAFKA_BROKERS}' } },
      deadLetter: { topic: DEAD_LETTER_TOPIC },
    },
  },
})

test('the bytes of a dead letter that is no text are printed and replayed as they were received', async () => {
  const { kafka } = await emptyTopic()
  const env = { KAFKA_BROKERS: kafka.bootstrap, WEBHOOK_TOKEN: 'letmein-please' }
  const cwd = temporaryDirectory({ 'plugins.config.json': JSON.stringify(rawConfig('dead-letter')) })
  const config = join(cwd, 'plugins.config.json')
  const headgate = await startHeadgate({ config, env })
  onTestFinished(() => void headgate.kill('SIGKILL'))
  const { status } = await fetch(new URL('/files', headgate.intake), {
    method: 'POST',
    headers: { authorization: 'Bearer letmein-please', 'content-type': 'application/gzip' },
    body: BINARY,
  })
  expect(status).toBe(202)
  await headgate.stop()
  const dlq = (...[command, input]: Parameters<typeof runCommand>) => runCommand(command, input, { cwd, env })
  const [letter] = lines((await dlq(dlqListCommand, { options: { json: true } })).out)
  const places = [`${letter.partition}:${letter.offset}`]

  const shown = await dlq(dlqShowCommand, { arguments: places })
  expect(shown.out).toContain('0000  ef bb bf 1f 8b 08 00 ff 0a ')
  const raw = await dlq(dlqShowCommand, { arguments: places, options: { raw: true } })
  expect(Buffer.from(raw.out, 'latin1')).toEqual(BINARY)

  writeFileSync(config, JSON.stringify(rawConfig({ topic: TOPICS[0] })))
  writeFileSync(join(cwd, 'event.bin'), Buffer.from(raw.out, 'latin1'))
  const options = { body: 'event.bin', yes: true }
  expect((await dlq(dlqReplayCommand, { arguments: places, options })).code).toBe(0)
  const records = await readTopics(kafka.bootstrap, TOPICS.slice(0, 1))
  expect(records.map(({ value }) => value)).toEqual([BINARY])
})

async function written({ bootstrap }: Kafka) {
  const records = await readTopics(
    bootstrap,
    TOPICS.filter((topic) => topic !== DEAD_LETTER_TOPIC),
  )
  return records
    .map(({ topic, partition, key, value }) => [topic, partition, key?.toString(), value.toString()])
    .sort()
}

test.each([
  ['0:999', 1, /There is no record at 0:999/],
  ['9:0', 1, /has no partition 9/],
  ['first', 2, /such as 0:12/],
])('a place that is none (%s) is said to be none', async (place, code, said) => {
  const { dlq } = await emptyTopic()
  const show = await dlq(dlqShowCommand, {}, place)
  expect([show.code, show.err]).toEqual([code, expect.stringMatching(said)])
})

test('where there are no dead letters, and where Kafka is not there, that is said', async () => {
  const { dlq, kafka } = await emptyTopic()
  expect(await dlq(dlqListCommand)).toEqual({ code: 0, out: 'No dead letters.\n', err: '' })
  expect(await dlq(dlqReplayCommand, { yes: true })).toMatchObject({
    code: 0,
    out: 'No dead letters sent.\n',
  })
  await kafka.stop()
  const down = await dlq(dlqListCommand)
  expect([down.code, down.err]).toEqual([1, expect.stringMatching(/^HG_KAFKA_UNAVAILABLE: /)])
})

test('a pipeline that has no dead letters is refused, with those that have', async () => {
  const { dlq } = await emptyTopic()
  const list = await dlq(dlqListCommand, { pipeline: 'cxone-data-action' })
  expect([list.code, list.err]).toEqual([2, expect.stringContaining('Did you mean "cxone-data-actions"?')])
})

/** The shipped config, and nothing in Kafka. */
async function emptyTopic() {
  const kafka = await startKafka(TOPICS)
  onTestFinished(() => kafka.stop())
  const env = environment(kafka.bootstrap, { url: 'http://127.0.0.1:1' })
  const dlq = (
    command: Parameters<typeof runCommand>[0],
    options: { [name: string]: unknown } = {},
    ...places: string[]
  ) => runCommand(command, { options, arguments: places }, { env })
  return { kafka, dlq }
}
