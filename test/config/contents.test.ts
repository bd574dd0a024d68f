import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadPlugins } from '../../src/config/load-plugins.js'
import { type ReadOptions, readConfig } from '../../src/config/read.js'
import { plugins } from '../../src/plugins/index.js'
import { temporaryDirectory } from '../helpers/context.js'

const CONFIG = JSON.stringify({
  pipelines: {
    orders: {
      source: {
        plugin: 'http-webhook',
        config: {
          path: '/in',
          eventId: '/id',
          verify: { scheme: 'bearer', tokens: ['${file:secrets.properties:token}', '${dir:more:token}'] },
        },
      },
      transforms: [
        { plugin: 'json-schema', config: { schema: './schemas/order.json' } },
        { plugin: 'route', config: { rules: [], otherwise: { topic: 'orders' } } },
      ],
      sink: { plugin: 'kafka', config: { brokers: 'localhost:9092' } },
    },
  },
})

const FILES = {
  'plugins.config.json': CONFIG,
  'secrets.properties': 'token=of-the-properties-file',
  'more/token': 'of-the-folder',
  // The one refers to the other by its id: the folder is looked through.
  'schemas/order.json': '{"$id": "https://example.com/order", "$ref": "https://example.com/item"}',
  'schemas/item.json': '{"$id": "https://example.com/item", "type": "object"}',
}

test('a config is the same in another process that has its texts, whatever has become of the files', () => {
  const folder = temporaryDirectory(FILES)
  const path = join(folder, 'plugins.config.json')
  const options = { plugins, environment: {}, exposed: false, cwd: folder }
  const first = readConfig(path, options)
  if (!first.ok) throw new Error(first.problems.map(({ message }) => message).join())
  const contents = first.config.contents()
  for (const file of Object.keys(FILES)) rmSync(join(folder, file))
  writeFileSync(path, '{')

  expect(readConfig(path, options).ok).toBe(false)
  const second = readConfig(path, { ...options, contents })
  if (!second.ok) throw new Error(second.problems.map(({ message }) => message).join())
  expect(second.config.revision).toBe(first.config.revision)
  expect(second.config.secrets).toEqual(first.config.secrets)
  expect(second.config.pipelines[0]?.source.config).toEqual(first.config.pipelines[0]?.source.config)
})

test('a file that was not sent along is not there', () => {
  const folder = temporaryDirectory(FILES)
  const path = join(folder, 'plugins.config.json')
  const contents = new Map([[path, CONFIG]])
  const read = readConfig(path, { plugins, environment: {}, exposed: false, cwd: folder, contents })
  expect(read.ok ? [] : read.problems.map(({ code }) => code)).toEqual([
    'HG_CONFIG_PROVIDER',
    'HG_CONFIG_PROVIDER',
    'HG_CONFIG_UNREADABLE',
  ])
})

/** A plugin that counts its checks, and the config that uses it. */
const COUNTING = (name: string) => `

export const counting = {
  kind: 'transform', name: '${name}', summary: '', config: { type: 'object', properties: {} }, routes: true,
  check() { globalThis.checks = (globalThis.checks ?? 0) + 1; return [] },
  create: () => ({ apply: (event) => ({ kind: 'pass', event }) }),
}
`
const countingConfig = JSON.parse(CONFIG)
countingConfig.pipelines.orders.transforms[1] = { plugin: './counting.mjs', config: {} }

async function checkedElsewhere() {
  const folder = temporaryDirectory({
    ...FILES,
    'plugins.config.json': JSON.stringify(countingConfig),
    'counting.mjs': COUNTING('counting'),
  })
  const path = join(folder, 'plugins.config.json')
  const read = async (more: Partial<ReadOptions> = {}) => {
    const text = more.contents?.get(path)
    const external = await loadPlugins(path, plugins, text)
    return readConfig(path, { plugins, external, environment: {}, exposed: false, cwd: folder, ...more })
  }
  const first = await read()
  if (!first.ok) throw new Error(first.problems.map(({ message }) => message).join())
  const { revision, watched } = first.config
  const options = { checked: { revision, watched }, contents: first.config.contents(), othersOnDisk: true }
  return { folder, first: first.config, again: () => read(options) }
}

test('a config that another process has checked is the same, and its plugins do not check it again', async () => {
  const { folder, first, again } = await checkedElsewhere()
  const before = (globalThis as { checks?: number }).checks
  writeFileSync(join(folder, 'schemas/order.json'), '{"type": "nonsense"}')
  const second = await again()
  if (!second.ok) throw new Error(second.problems.map(({ message }) => message).join())
  expect((globalThis as { checks?: number }).checks).toBe(before)
  expect(second.config.revision).toBe(first.revision)
  expect(second.config.watched).toEqual(first.watched)
  expect(second.config.contents()).toEqual(first.contents())
  expect(second.config.files.read('schemas/order.json')).toBe(FILES['schemas/order.json'])
  expect(second.config.files.list('schemas')).toEqual(['item.json', 'order.json'])
})

test('a plugin that has changed since its check is not used', async () => {
  const { folder, again } = await checkedElsewhere()
  writeFileSync(join(folder, 'counting.mjs'), `${COUNTING('counting')}\n// changed`)
  await expect(again()).rejects.toMatchObject({ code: 'HG_RELOAD_FAILED' })
})
