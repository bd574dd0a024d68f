import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { parse } from 'jsonc-parser'
import { describe, expect, test } from 'vitest'
import type { Io } from '../../../src/commands/command.js'
import { initCommand } from '../../../src/commands/init/index.js'
import { nextCommands } from '../../../src/commands/init/next-commands.js'
import { SENDERS } from '../../../src/commands/init/senders.js'
import { testCommand } from '../../../src/commands/test.js'
import { validateCommand } from '../../../src/commands/validate.js'
import { SENDERS as PRESETS } from '../../../src/plugins/source/http-webhook/senders/index.js'
import { temporaryDirectory } from '../../helpers/context.js'
import { runCommand } from '../../helpers/recorded-io.js'

type Options = { readonly [name: string]: unknown }

const init = (cwd: string, options: Options, io: Partial<Io> = {}) =>
  runCommand(initCommand, { options }, { cwd, ...io })

const read = (cwd: string, path: string) => readFileSync(join(cwd, path), 'utf8')
const environmentOf = (cwd: string) => parseEnv(read(cwd, '.env'))

/** Everything that the commands find in the config of a folder, with the variables that were written beside it. */
async function findings(cwd: string) {
  const env = environmentOf(cwd)
  const { out } = await runCommand(validateCommand, { options: { format: 'json' } }, { cwd, env })
  const { problems } = JSON.parse(out) as { readonly problems: readonly { readonly code: string }[] }
  const tested = await runCommand(testCommand, {}, { cwd })
  // About this machine's client, not about the config.
  return { problems: problems.filter(({ code }) => code !== 'codec-missing'), tested }
}

const NAMES = SENDERS.map(({ name }) => name)

test.each(NAMES)('the config for %s is valid without a warning, and its scenarios pass', async (sender) => {
  const cwd = temporaryDirectory()
  const { code, err } = await init(cwd, { sender, yes: true })
  expect([code, err]).toEqual([0, ''])
  const { problems, tested } = await findings(cwd)
  expect(problems).toEqual([])
  expect([tested.code, tested.err], tested.out).toEqual([0, ''])
})

test.each([
  ['bearer', '/data/order/id'],
  ['bearer', 'header:X-Event-Id'],
  ['cxone', '/payload/id'],
  ['hmac', '/id'],
  ['github', '/delivery'],
  ['zoom', 'query:id'],
  ['cloudevents', 'header:ce-id'],
  ['stripe', 'digest'],
])('so are those for %s with the event id at %s', async (sender, eventId) => {
  const cwd = temporaryDirectory()
  const options = { sender, eventId, topic: 'Orders_2', path: '/in', deadLetterTopic: 'bad' }
  expect(await init(cwd, options)).toMatchObject({ code: 0, err: '' })
  const { problems, tested } = await findings(cwd)
  expect(problems).toEqual([])
  expect([tested.code, tested.err], tested.out).toEqual([0, ''])
  expect(read(cwd, 'plugins.config.json')).toContain('"orders_2": {')
})

interface Written {
  readonly name: string
  readonly verify?: boolean
  readonly headers?: { readonly [name: string]: string }
  readonly expect: { readonly outcome: string }
}

describe('a sender that the source knows', () => {
  const source = (cwd: string) => {
    const { pipelines } = parse(read(cwd, 'plugins.config.json')) as {
      readonly pipelines: { readonly [name: string]: { readonly source: { readonly config: object } } }
    }
    return Object.values(pipelines)[0]?.source.config
  }
  const scenarios = (cwd: string) =>
    (JSON.parse(read(cwd, 'scenarios/events.json')) as { readonly scenarios: readonly Written[] }).scenarios

  test('is offered, each of them', () => {
    for (const { name, title } of PRESETS)
      expect(SENDERS).toContainEqual(expect.objectContaining({ name, summary: title }))
  })

  test('is named in the config, with a variable for its secret and nothing that it stands for', async () => {
    const cwd = temporaryDirectory()
    await init(cwd, { sender: 'github', yes: true })
    expect(source(cwd)).toEqual({
      path: '/webhook/github',
      sender: 'github',
      secrets: ['${env:GITHUB_SECRET}'],
    })
    expect(environmentOf(cwd)['GITHUB_SECRET']).toMatch(/^[0-9a-f]{64}$/)
  })

  test('gets the settings that it needs by flags, and by a variable for a second secret', async () => {
    const cwd = temporaryDirectory()
    await init(cwd, { sender: 'square', topic: 'payments', publicUrl: 'https://shop.example.com/hooks' })
    expect(source(cwd)).toMatchObject({ publicUrl: 'https://shop.example.com/hooks' })
    const other = temporaryDirectory()
    await init(other, { sender: 'meta', yes: true })
    expect(source(other)).toMatchObject({
      secrets: ['${env:META_SECRET}'],
      handshake: { token: { values: ['${env:META_VERIFY_TOKEN}'] } },
    })
  })

  test('whose scripts decide on the event id is asked for it', async () => {
    const cwd = temporaryDirectory()
    await init(cwd, { sender: 'cxone-studio', yes: true })
    expect(source(cwd)).toMatchObject({ eventId: '/contactId' })
  })

  test('gets another event id by its flag', async () => {
    const cwd = temporaryDirectory()
    await init(cwd, { sender: 'zoom', topic: 'zoom', eventId: '/event_ts' })
    expect(source(cwd)).toMatchObject({ sender: 'zoom', eventId: '/event_ts' })
  })

  test.each([
    ['shopify', 'X-Shopify-Hmac-SHA256'],
    ['gitlab', 'X-Gitlab-Token'],
    ['square', 'x-square-hmacsha256-signature'],
    ['okta', 'Authorization'],
  ])('proves itself in the scenarios if its proof does not expire: %s', async (sender, header) => {
    const cwd = temporaryDirectory()
    await init(cwd, { sender, yes: true })
    expect(scenarios(cwd)[0]).toMatchObject({ verify: true, headers: { [header]: expect.any(String) } })
  })

  test.each([
    ['twilio', 'event.form', /^MessageSid=SM/],
    ['slack-commands', 'event.form', /^trigger_id=example-1&team_id=/],
    ['cxone-expert', 'event.xml', /^<\?xml version="1.0" encoding="UTF-8"\?><event><page id="42">/],
  ])('that sends no JSON has an example as it sends it: %s', async (sender, file, text) => {
    const cwd = temporaryDirectory()
    const { out } = await init(cwd, { sender, yes: true })
    expect(read(cwd, file)).toMatch(text)
    expect(out).toMatch(
      new RegExp(`headgate explain \\./${file} --skip-verification --header 'Content-Type: `),
    )
    expect(scenarios(cwd)[0]).toMatchObject({
      text: expect.any(String),
      expect: { outcome: 'delivered', value: expect.any(String) },
    })
  })

  test('that sends batches of XML has a scenario with each item as JSON, and with the response that the sender wants', async () => {
    const cwd = temporaryDirectory()
    await init(cwd, { sender: 'salesforce-outbound', yes: true })
    expect(scenarios(cwd)[0]).toMatchObject({
      text: expect.stringContaining('<Notification><Id>event-1</Id>'),
      expect: {
        response: { status: 200, body: expect.stringContaining('<Ack>true</Ack>') },
        items: [{ value: { Id: 'event-1' } }, { value: { Id: 'event-1-2' } }],
      },
    })
  })

  test('whose redeliveries can have another body is recognised by its ids alone', async () => {
    const cwd = temporaryDirectory()
    await init(cwd, { sender: 'stripe', yes: true })
    expect(parse(read(cwd, 'plugins.config.json'))).toMatchObject({
      pipelines: { stripe: { redelivery: { by: 'id' } } },
    })
  })

  test('that sends batches has a scenario with two events, and a schema of one', async () => {
    const cwd = temporaryDirectory()
    await init(cwd, { sender: 'event-grid', yes: true })
    const [batch] = scenarios(cwd)
    expect(batch).toMatchObject({
      event: [{ id: 'event-1' }, { id: 'event-1-2' }],
      expect: { items: [{ key: 'event-1', value: { id: 'event-1' } }, { key: 'event-1-2' }] },
    })
    expect(JSON.parse(read(cwd, 'schemas/event.schema.json'))).toMatchObject({ type: 'object' })
  })

  test('has a scenario for its handshake', async () => {
    const cwd = temporaryDirectory()
    await init(cwd, { sender: 'meta', yes: true })
    expect(scenarios(cwd).at(-1)).toMatchObject({ method: 'GET', expect: { outcome: 'handshake' } })
  })

  test('with a private key of its own is to be asked for the public one', async () => {
    const { out } = await init(temporaryDirectory(), { sender: 'discord', yes: true })
    expect(out).toContain('Fill in DISCORD_PUBLIC_KEY in ./.env.\n')
    expect(out).not.toContain('has a new secret')
  })
})

describe('the variables', () => {
  test('have new secrets in .env, which only its owner can read, and none in .env.example', async () => {
    const [one, other] = [temporaryDirectory(), temporaryDirectory()]
    for (const cwd of [one, other]) await init(cwd, { yes: true, brokers: 'kafka-1:9092, kafka-2:9092' })
    expect(environmentOf(one)['WEBHOOK_TOKEN']).toMatch(/^[0-9a-f]{64}$/)
    expect(environmentOf(one)['WEBHOOK_TOKEN']).not.toBe(environmentOf(other)['WEBHOOK_TOKEN'])
    expect(environmentOf(one)['KAFKA_BROKERS']).toBe('kafka-1:9092, kafka-2:9092')
    expect(statSync(join(one, '.env')).mode & 0o777).toBe(0o600)
    expect(parseEnv(read(one, '.env.example'))).toMatchObject({ WEBHOOK_TOKEN: '' })
    expect(read(one, '.gitignore')).toContain('.env\n')
  })

  test.each(NAMES)(
    'of %s are the same in both files, and those that the config refers to',
    async (sender) => {
      const cwd = temporaryDirectory()
      await init(cwd, { sender, yes: true })
      const referred = [...read(cwd, 'plugins.config.json').matchAll(/\$\{env:([A-Z_]+)\}/g)].map(
        ([, name]) => name,
      )
      expect(Object.keys(environmentOf(cwd)).toSorted()).toEqual([...new Set(referred)].toSorted())
      expect(Object.keys(parseEnv(read(cwd, '.env.example'))).toSorted()).toEqual(
        Object.keys(environmentOf(cwd)).toSorted(),
      )
    },
  )
})

describe('existing files', () => {
  test('stay, and nothing else is written', async () => {
    const cwd = temporaryDirectory({ 'plugins.config.json': '{}', 'event.json': '1' })
    const { code, err } = await init(cwd, { yes: true })
    expect([code, err]).toEqual([
      1,
      'These files exist; --force overwrites them, and --dir names another folder:\n  plugins.config.json\n  event.json\n',
    ])
    expect(read(cwd, 'plugins.config.json')).toBe('{}')
    expect(existsSync(join(cwd, '.env.example'))).toBe(false)
  })

  test('are overwritten with --force, but for the secrets and what git ignores', async () => {
    const cwd = temporaryDirectory({
      'plugins.config.json': '{}',
      '.env': 'WEBHOOK_TOKEN=mine\n',
      '.gitignore': 'dist\n',
    })
    const { code, out } = await init(cwd, { yes: true, force: true })
    expect(code).toBe(0)
    expect(out).toContain('kept     .env\n')
    expect(read(cwd, 'plugins.config.json')).toContain('http-webhook')
    expect([read(cwd, '.env'), read(cwd, '.gitignore')]).toEqual(['WEBHOOK_TOKEN=mine\n', 'dist\n'])
  })

  test('that cannot be replaced are an error with the reason', async () => {
    const cwd = temporaryDirectory({ orders: '' })
    const { code, err } = await init(cwd, { yes: true, dir: 'orders' })
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^Cannot write orders\/plugins\.config\.json: .+\.\n$/),
    ])
  })

  test.skipIf(process.platform !== 'linux')('are an error also in a folder of the kernel', async () => {
    const { code, err } = await init(temporaryDirectory(), { yes: true, dir: '/proc/missing' })
    expect(code).toBe(1)
    expect(err).toMatch(/^Cannot write \/proc\/missing\/plugins\.config\.json: .+\.\n$/)
  })
})

describe('wrong flags', () => {
  test('are reported all at once, each with what it should be', async () => {
    const cwd = temporaryDirectory()
    const { code, err } = await init(cwd, {
      yes: true,
      sender: 'beare',
      topic: 'two words',
      path: 'orders',
      eventId: 'id',
      brokers: 'kafka',
      signatureHeader: 'X Y',
      deadLetterTopic: '..',
      publicUrl: 'hooks.example.com',
    })
    expect(code).toBe(2)
    expect(err.trimEnd().split('\n')).toEqual([
      'There is no sender "beare". Did you mean "bearer"?',
      '--topic should be a topic name: letters, digits, ".", "_" and "-"; it is "two words".',
      '--dead-letter-topic should be a topic name: letters, digits, ".", "_" and "-"; it is "..".',
      '--brokers should be addresses such as "kafka-1:9092,kafka-2:9092"; it is "kafka".',
      '--path should be a path such as "/webhook/orders", without query and without "%"; it is "orders".',
      '--event-id should be a JSON Pointer such as "/id", "header:NAME", "query:NAME", "digest" or "new"; it is "id".',
      '--signature-header should be the name of a header such as "X-Signature"; it is "X Y".',
      '--public-url should be a URL such as "https://hooks.example.com", without query; it is "hooks.example.com".',
    ])
    expect(existsSync(join(cwd, '.env'))).toBe(false)
  })

  test('include one that the sender has no use for', async () => {
    const { code, err } = await init(temporaryDirectory(), {
      yes: true,
      sender: 'cxone',
      signatureHeader: 'X-Signature',
    })
    expect([code, err]).toEqual([2, '--signature-header has no meaning for the sender cxone.\n'])
  })

  test('without a terminal, flags that are missing are named', async () => {
    const cwd = temporaryDirectory()
    expect(await init(cwd, {})).toEqual({
      code: 2,
      out: '',
      err: 'There is no terminal to ask on. Give --sender and --topic, or --yes to take the defaults.\n',
    })
    expect((await init(cwd, { sender: 'bearer' })).err).toContain('Give --topic, or --yes')
    expect((await init(cwd, { sender: 'bearer', topic: 'orders' })).code).toBe(0)
  })
})

describe('on a terminal', () => {
  /** A terminal on which these lines are typed, and what was asked. */
  function typing(...lines: (string | undefined)[]) {
    const asked: string[] = []
    const ask = async (question: string) => {
      asked.push(question)
      return lines.shift()
    }
    return { asked, io: { ask, terminal: { in: true, out: true, err: true } } }
  }

  test('everything is asked that no flag gives, with the defaults of the sender; an empty line takes one', async () => {
    const cwd = temporaryDirectory()
    const { asked, io } = typing('cxone', '', '', 'kafka:9092', '')
    const { code, out } = await init(cwd, { eventId: '/id' }, io)
    expect(code).toBe(0)
    expect(asked).toEqual([
      'Sender [bearer]: ',
      'Topic of the events [cxone.data.actions]: ',
      'Topic of events that cannot be processed [cxone.data.actions.dlq]: ',
      'Addresses of Kafka [127.0.0.1:9092]: ',
      'Path that the sender posts to [/webhook/cxone/data-actions]: ',
    ])
    for (const { summary } of SENDERS) expect(out).toContain(summary)
    expect(environmentOf(cwd)['KAFKA_BROKERS']).toBe('kafka:9092')
  })

  test('a sender with an id of its own is not asked for the event id, and one that signs the URL for that', async () => {
    const { asked, io } = typing('twilio', '', '', '', '', '')
    expect(await init(temporaryDirectory(), {}, io)).toMatchObject({ code: 0, err: '' })
    expect(asked.slice(4)).toEqual([
      'Path that the sender posts to [/webhook/twilio]: ',
      'URL at which the sender reaches the listener, without the path of the source [https://hooks.example.com]: ',
    ])
  })

  test('a wrong answer is explained, and the question comes again', async () => {
    const { asked, io } = typing('hmack', 'hmac', 'a b', 'orders', '', '', '', '', 'X-Shop-Signature')
    const { code, err } = await init(temporaryDirectory(), {}, io)
    expect([code, err]).toEqual([
      0,
      'There is no sender "hmack". Did you mean "hmac"?\nIt should be a topic name: letters, digits, ".", "_" and "-"; it is "a b".\n',
    ])
    expect(asked.at(-1)).toBe('Header with the signature ("sha256=" and hex) [X-Hub-Signature-256]: ')
  })

  test('the end of the input ends it, and nothing is written', async () => {
    const cwd = temporaryDirectory()
    const { io } = typing('bearer', undefined)
    expect(await init(cwd, {}, io)).toMatchObject({ code: 1, err: 'Nothing was written.\n' })
    expect(existsSync(join(cwd, 'plugins.config.json'))).toBe(false)
  })

  test('--yes asks nothing', async () => {
    const { asked, io } = typing()
    expect(await init(temporaryDirectory(), { yes: true }, io)).toMatchObject({ code: 0 })
    expect(asked).toEqual([])
  })
})

test('the next commands have the headers without which the event has no id', async () => {
  const { out } = await init(temporaryDirectory(), { sender: 'github', yes: true })
  expect(out).toContain(
    " explain ./event.json --skip-verification --header 'X-GitHub-Event: issues' --header 'X-GitHub-Delivery: example-1'\n",
  )
  expect(out).toContain(`-H "X-Hub-Signature-256: sha256=$(openssl dgst -sha256 -hmac "$GITHUB_SECRET"`)
})

test('the next commands start Headgate as it can be started: in a checkout by its script, otherwise by its name', async () => {
  const commands = (text: string) =>
    [...text.matchAll(/^ {2}(\S+) (?:validate|run)\b/gm)].map(([, name]) => name)
  const elsewhere = await init(temporaryDirectory(), { yes: true })
  expect(commands(elsewhere.out)).toEqual([resolve('headgate'), resolve('headgate')])
  const answers = {
    sender: SENDERS[0],
    topic: 'a',
    deadLetterTopic: 'b',
    brokers: 'c:1',
    path: '/d',
    eventId: '/id',
  }
  const installed = nextCommands(answers as never, '.', 'headgate')
  expect(commands(installed)).toEqual(['headgate', 'headgate'])

  const inCheckout = await init(resolve('.'), { yes: true, dir: temporaryDirectory() })
  expect(commands(inCheckout.out)).toEqual(['./headgate', './headgate'])
})

test('the next commands name the files where they are, as words of a shell', async () => {
  const cwd = temporaryDirectory()
  const { out } = await init(cwd, { yes: true, dir: 'my orders' })
  expect(out).toContain("  export HEADGATE_CONFIG='my orders/plugins.config.json'\n")
  expect(out).toContain("  set -a; . 'my orders/.env'; set +a\n")
  writeFileSync(join(cwd, 'other'), '')
  const here = await init(cwd, { yes: true })
  expect(here.out).toContain('  set -a; . ./.env; set +a\n')
  expect(here.out).not.toContain('HEADGATE_CONFIG')
})
