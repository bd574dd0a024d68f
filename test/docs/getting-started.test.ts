import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { testCommand } from '../../src/commands/test.js'
import { validateCommand } from '../../src/commands/validate.js'
import { temporaryDirectory } from '../helpers/context.js'
import { blocksOf, pageText, WALKED } from '../helpers/pages.js'
import { runCommand } from '../helpers/recorded-io.js'

const CONFIG = 'orders/plugins.config.json'
const env = { ORDERS_TOKEN: 'a-token-of-the-test', KAFKA_BROKERS: 'kafka:9092' }

const blocks = blocksOf(WALKED)
const files = Object.fromEntries(
  blocks.filter(({ mark }) => mark === 'file').map(({ about, text }) => [String(about), text]),
)

// Its parts with a Kafka are tested in test/kafka/getting-started.test.ts.
test('the config that a beginner writes is valid, without a warning', async () => {
  const cwd = temporaryDirectory(files)
  const input = { arguments: [CONFIG], options: { strict: true } }
  const { code, err } = await runCommand(validateCommand, input, { cwd, env })
  expect([code, err]).toEqual([0, ''])
})

test('its scenarios pass and reach every rule', async () => {
  const cwd = temporaryDirectory(files)
  const options = { config: CONFIG, requireCoverage: true }
  const { code, out } = await runCommand(testCommand, { options }, { cwd })
  const shown = blocks.find(({ mark, about }) => mark === 'output of' && about === 'headgate test')
  expect([code, out]).toEqual([0, shown?.text])
})

test('it is the config that those who come from other programs are shown, but for comments and places', () => {
  const shown = 'docs/coming-from/orders'
  const plain = (text: string) =>
    text.replaceAll(/^ *\/\/.*\n/gm, '').replace(/"\$schema": "[./]*schemas/, '"$schema": "schemas')
  for (const path of Object.keys(files).filter((path) => !path.endsWith('order.json')))
    expect(plain(pageText(path.replace(dirname(path), shown)))).toBe(plain(files[path] ?? ''))
})
