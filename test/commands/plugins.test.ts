import { expect, test } from 'vitest'
import { pluginsCommand } from '../../src/commands/plugins.js'
import { plugins } from '../../src/plugins/index.js'
import { temporaryDirectory } from '../helpers/context.js'
import { runCommand } from '../helpers/recorded-io.js'

test('without a name every plugin is listed with its kind and summary', async () => {
  const { code, out } = await runCommand(pluginsCommand)
  expect(code).toBe(0)
  for (const { name, kind, summary } of plugins)
    expect(out).toMatch(new RegExp(`^${name} +${kind} +${summary.slice(0, 20)}`, 'm'))
})

test.each(plugins.map(({ kind, name }) => [kind, name] as const))(
  '%s %s shows every setting with its type, default and meaning',
  async (kind, name) => {
    const { code, out } = await runCommand(pluginsCommand, { arguments: [name] })
    const { config } = plugins.find(
      (plugin) => plugin.kind === kind && plugin.name === name,
    ) as (typeof plugins)[number]
    expect(code).toBe(0)
    for (const setting of Object.keys(config.properties))
      expect(out).toMatch(new RegExp(`^${setting} {2}\\(.+(required|optional|default)`, 'm'))
  },
)

test('the shapes of a setting are shown each with its own settings', async () => {
  const { out } = await runCommand(pluginsCommand, { arguments: ['http-webhook'] })
  for (const scheme of ['bearer', 'hmac', 'standard-webhooks', 'none'])
    expect(out).toContain(`if "scheme" is "${scheme}":`)
})

test('a mistyped plugin gets a suggestion and is wrong usage', async () => {
  const { code, err } = await runCommand(pluginsCommand, { arguments: ['kafak'] })
  expect([code, err]).toEqual([2, 'There is no plugin "kafak". Did you mean "kafka"?\n'])
})

const mask = `{
  kind: 'transform',
  name: 'mask',
  summary: 'Masks.',
  config: { type: 'object', properties: { with: { type: 'string', default: '***', description: 'The mask.' } } },
  create() {},
}`

test('a plugin that is no built-in is shown by its path, or by its package beside the config file', async () => {
  const cwd = temporaryDirectory({
    'mask.mjs': `export default ${mask}`,
    'etc/node_modules/@acme/mask/package.json': '{"exports": "./main.mjs"}',
    'etc/node_modules/@acme/mask/main.mjs': `export const mask = ${mask}`,
  })
  const shown = (name: string) =>
    runCommand(pluginsCommand, { arguments: [name], options: { config: 'etc/plugins.config.json' } }, { cwd })
  for (const name of ['./mask.mjs', '@acme/mask']) {
    const { code, out } = await shown(name)
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^mask \(transform\)\nMasks\.\n\nwith {2}\(string, default "\*\*\*"\)/),
    ])
  }
  const missing = await shown('@acme/unmask')
  expect([missing.code, missing.err]).toEqual([
    1,
    expect.stringMatching(/not installed.*\nRun npm install @acme\/unmask/),
  ])
})
