import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { testCommand } from '../../src/commands/test.js'
import { validateCommand } from '../../src/commands/validate.js'
import { quotedFiles } from '../../tools/docs/quoted-files.js'
import { runCommand } from '../helpers/recorded-io.js'

const read = (path: string) => readFileSync(path, 'utf8')
const page = read('docs/cookbook.md')
const folder = 'docs/cookbook'
const cases = readdirSync(folder)

test('the cookbook has its thirteen cases', () => {
  expect(cases).toHaveLength(13)
})

test.each(cases)(
  '%s: its scenarios pass and reach every rule, with nothing set in the environment',
  async (name) => {
    const options = { config: `${folder}/${name}/plugins.config.json`, requireCoverage: true }
    const { code, out, err } = await runCommand(testCommand, { options })
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('all pass')
  },
)

test.each(cases)('%s: its config is valid, without a warning', async (name) => {
  const env = {
    KAFKA_BROKERS: 'kafka:9092',
    WEBHOOK_TOKEN: 'test-webhook-token',
    GITHUB_SECRET: 'test-signing-secret',
    SHOP_SECRET: 'test-signing-secret',
  }
  const input = { arguments: [`${folder}/${name}/plugins.config.json`], options: { strict: true } }
  const { code, err } = await runCommand(validateCommand, input, { env })
  expect([code, err]).toEqual([0, ''])
})

test('the page quotes every file of every case', () => {
  const files = cases.flatMap((name) =>
    ['plugins.config.json', 'scenarios.json'].map((file) => `${folder}/${name}/${file}`),
  )
  expect(quotedFiles(page).sort()).toEqual(files.sort())
})
