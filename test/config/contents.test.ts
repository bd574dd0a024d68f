import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config/read.js'
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
