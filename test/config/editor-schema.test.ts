import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { parse } from 'jsonc-parser'
import { expect, test } from 'vitest'
import { editorSchema } from '../../src/config/editor-schema.js'
import { readConfig } from '../../src/config/read.js'
import { child } from '../../src/lib/json/pointer.js'
import { plugins } from '../../src/plugins/index.js'
import { temporaryDirectory } from '../helpers/context.js'
import { environment } from '../helpers/processes/deployment.js'

const shippedText = readFileSync('plugins.config.json', 'utf8')
const schema = editorSchema(plugins, parse(shippedText))

/** As editors do: keywords they do not know are skipped. */
const fits = new Ajv({ strict: false, logger: false }).compile(schema)
const env = environment('127.0.0.1:1', { url: 'http://127.0.0.1:1' })
const cwd = process.cwd()
const SCHEMAS = /\.{1,2}\/schemas\//g

/** The findings of `headgate validate` about the file. */
function codesOf(text: string, variables: { [name: string]: string } = {}): string[] {
  const folder = temporaryDirectory({
    'plugins.config.json': text.replaceAll(SCHEMAS, `${cwd}/schemas/`),
  })
  const options = { plugins, environment: { ...env, ...variables }, exposed: false, cwd: folder }
  const read = readConfig(join(folder, 'plugins.config.json'), options)
  return read.ok ? [] : read.problems.map(({ code, message }) => `${code}: ${message}`)
}

/** A file that uses more than the shipped one. */
const rich = JSON.stringify({
  pipelines: {
    orders: {
      source: {
        plugin: 'http-webhook',
        config: {
          path: '/orders',
          methods: ['POST', 'PUT'],
          eventId: 'header:x-id',
          verify: {
            scheme: 'hmac',
            header: 'x-signature',
            encoding: 'base64',
            signed: '{timestamp}.{body}',
            timestamp: { header: 'x-time', unit: 'seconds', tolerance: '5m' },
            secrets: ['s3cret-s3cret-s3cret'],
          },
          maxBody: '64KiB',
        },
      },
      transforms: [
        {
          plugin: 'route',
          onError: 'dead-letter',
          config: {
            rules: [
              { name: 'a', when: { regex: 'x', at: '/a', flags: 'i' }, to: 'dead-letter' },
              { name: 'b', when: { jsonata: 'b' }, to: { topic: 'b', partition: 1 } },
            ],
            otherwise: 'drop',
          },
        },
      ],
      sink: {
        plugin: 'kafka',
        onError: 'drop',
        config: { brokers: 'a:1,b:2', key: '/a', headers: { h: '/h' }, properties: { 'linger.ms': 5 } },
      },
      postCommit: [
        {
          plugin: 'cxone-ack',
          concurrency: 2,
          rate: 0.5,
          retry: { initial: '1s' },
          config: {
            baseUrl: 'https://x',
            clientId: 'i',
            clientSecret: 's',
            oauth: {
              grant: { type: 'password', username: 'u', password: 'p' },
              clientAuthentication: 'body',
            },
            statuses: { retry: [429, '5xx'] },
            method: 'PUT',
          },
        },
      ],
      deadLetter: { topic: 'dlq', partition: 0 },
      redelivery: { window: '1h', entries: 5 },
      maxPending: 10,
      tap: { mask: ['/a/*/b'] },
    },
  },
})

test.each([
  ['the shipped file', shippedText],
  ['the one that the benchmark runs', readFileSync('bench/plugins.config.json', 'utf8')],
  ['one that uses more', rich],
])('%s fits, without its comments', (_name, text) => {
  fits(parse(text))
  expect(fits.errors).toBeNull()
  expect(codesOf(text)).toEqual([])
})

test('plugins from outside are accepted by path and by package', () => {
  for (const plugin of ['./mask.mjs', '../a/b.js', '/opt/c.mjs', '@acme/headgate-s3', 'headgate-mask']) {
    const config = parse(rich)
    config.pipelines.orders.transforms.unshift({ plugin, config: { anything: 1 } })
    expect(fits(config), plugin).toBe(true)
  }
})

test('any text that the reader takes from a reference may be one in the editor too', () => {
  let taken = 0
  for (const text of [shippedText, rich]) {
    for (const { pointer, value } of texts(parse(text))) {
      const config = parse(text)
      put(config, pointer, '${env:REFERENCE}')
      if (
        codesOf(JSON.stringify(config), { REFERENCE: value.replace(SCHEMAS, `${cwd}/schemas/`) }).length > 0
      )
        continue
      taken++
      fits(config)
      expect(fits.errors, pointer).toBeNull()
    }
  }
  // All but $schema, names of rules and the like, which the plugins compare with each other.
  expect(taken).toBeGreaterThan(40)
})

/** One for each kind of thing that can be wrong with a shape. */
test.each<[string, (text: string) => string]>([
  ['a setting that there is not', (t) => t.replace('"brokers"', '"brokes"')],
  ['a setting of a stage that there is not', (t) => t.replace('"onError":"drop"', '"onErr":"drop"')],
  ['a setting of the pipeline that there is not', (t) => t.replace('"maxPending"', '"maxPend"')],
  ['a section that there is not', (t) => t.replace('{"pipelines"', '{"pipes":{},"pipelines"')],
  ['a setting of a shape that there is not', (t) => t.replace('"signed":', '"singed":')],
  ['a required setting that is missing', (t) => t.replace('"path":"/orders",', '')],
  ['a required stage that is missing', (t) => t.replace('"source":', '"sauce":')],
  [
    'required settings that are all missing',
    (t) => t.replace(/"config":(\{"brokers".*?\}\}),?/, '').replace(',}', '}'),
  ],
  ['no pipeline', () => '{"pipelines":{}}'],
  ['a name of a pipeline that cannot be', (t) => t.replace('"orders":', '"Or ders":')],
  ['a plugin that there is not', (t) => t.replace('"http-webhook"', '"http-webhok"')],
  ['a plugin of another kind', (t) => t.replace('"http-webhook"', '"route"')],
  ['a number as text', (t) => t.replace('"maxPending":10', '"maxPending":"10"')],
  ['an integer by reference', (t) => t.replace('"maxPending":10', '"maxPending":"${env:N}"')],
  ['text as a number', (t) => t.replace('"clientId":"i"', '"clientId":7')],
  ['an object as text', (t) => t.replace('"retry":{"initial":"1s"}', '"retry":"1s"')],
  ['a list as an object', (t) => t.replace('"methods":["POST","PUT"]', '"methods":{}')],
  ['a number that is too small', (t) => t.replace('"partition":1', '"partition":-1')],
  ['a number that is too large', (t) => t.replace('"concurrency":2', '"concurrency":2000')],
  ['a number that must be larger', (t) => t.replace('"rate":0.5', '"rate":0')],
  ['a fraction', (t) => t.replace('"entries":5', '"entries":5.5')],
  ['a duration without unit', (t) => t.replace('"window":"1h"', '"window":"1"')],
  ['a size without unit', (t) => t.replace('"64KiB"', '"64"')],
  ['a malformed pointer', (t) => t.replace('"key":"/a"', '"key":"a"')],
  ['a malformed pointer in a map', (t) => t.replace('"h":"/h"', '"h":"h"')],
  ['a malformed topic', (t) => t.replace('"topic":"b"', '"topic":"b/c"')],
  ['a choice that there is not', (t) => t.replace('"encoding":"base64"', '"encoding":"base65"')],
  ['a choice of words that there is not', (t) => t.replace('"onError":"drop"', '"onError":"ignore"')],
  ['a shape that there is not', (t) => t.replace('"scheme":"hmac"', '"scheme":"hmak"')],
  ['a shape that is not said', (t) => t.replace('"scheme":"hmac",', '')],
  ['none of several things', (t) => t.replace('"otherwise":"drop"', '"otherwise":5')],
  ['none of several words', (t) => t.replace('"otherwise":"drop"', '"otherwise":"discard"')],
  ['empty text', (t) => t.replace('"clientSecret":"s"', '"clientSecret":""')],
  ['an empty list', (t) => t.replace('"methods":["POST","PUT"]', '"methods":[]')],
  ['an element that stands twice', (t) => t.replace('"methods":["POST","PUT"]', '"methods":["POST","POST"]')],
  ['a provider that there is not', (t) => t.replace('"window":"1h"', '"window":"${vault:x}"')],
])('%s is wrong for the reader and for the editor', (_name, breaking) => {
  const broken = breaking(rich)
  expect(broken).not.toBe(rich)
  expect(codesOf(broken)).not.toEqual([])
  expect(fits(parse(broken))).toBe(false)
})

test('beside a sender, nothing that it stands for has to be written, and parts of it may be', () => {
  const config = parse(rich)
  const { source } = config.pipelines.orders
  source.config = { path: '/orders', sender: 'github', secrets: ['s'], handshake: null }
  expect(fits(config)).toBe(true)
  source.config.verify = { timestamp: { tolerance: '1m' } }
  expect(fits(config)).toBe(true)
  delete source.config.sender
  expect(fits(config)).toBe(false)
})

interface Setting {
  readonly description?: unknown
  readonly default?: unknown
  readonly const?: unknown
  readonly properties?: { readonly [name: string]: Setting }
  readonly items?: Setting
  readonly anyOf?: readonly Setting[]
  readonly oneOf?: readonly Setting[]
  readonly else?: Setting
}

test.each(plugins.map((plugin) => [`${plugin.kind}.${plugin.name}`, plugin] as const))(
  '%s has every setting with its meaning and its default',
  (name, { config }) => {
    const definition = (schema['definitions'] as { [name: string]: Setting })[name]
    const declared = [...settings(config as Setting)]
    const shown = new Map(settings(definition ?? {}))
    expect(declared.length).toBeGreaterThan(0)
    for (const [at, setting] of declared) {
      expect(shown.get(at)?.description, at).toEqual(setting.description)
      expect(shown.get(at)?.default, at).toEqual(setting.default)
    }
  },
)

test('each kind of stage completes the names of its plugins, with what they do', () => {
  const text = JSON.stringify(schema)
  for (const { name, summary } of plugins) {
    expect(text).toContain(JSON.stringify(name))
    expect(text).toContain(JSON.stringify(summary))
  }
})

function* settings(schema: Setting, at = ''): Generator<[string, Setting]> {
  for (const [name, setting] of Object.entries(schema.properties ?? {})) {
    // The alternative for references repeats the tag of the shapes.
    if (setting.const !== undefined) continue
    yield [`${at}/${name}`, setting]
    yield* settings(setting, `${at}/${name}`)
  }
  // Without the setting that stands for others.
  if (schema.else !== undefined) yield* settings(schema.else, at)
  if (schema.items !== undefined) yield* settings(schema.items, `${at}/-`)
  for (const [index, shape] of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].entries()) {
    yield* settings(shape, `${at}/${index}`)
  }
}

function* texts(value: unknown, at = ''): Generator<{ pointer: string; value: string }> {
  if (typeof value === 'string') yield { pointer: at, value }
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) yield* texts(inner, child(at, key))
}

function put(root: unknown, pointer: string, value: string): void {
  const tokens = pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = tokens.pop() ?? ''
  const parent = tokens.reduce((inner, token) => (inner as { [key: string]: unknown })[token], root)
  ;(parent as { [key: string]: string })[last] = value
}
