import { readdirSync } from 'node:fs'
import { parse } from 'jsonc-parser'
import { expect, test } from 'vitest'
import { testCommand } from '../../src/commands/test.js'
import { SENDERS } from '../../src/plugins/source/http-webhook/senders/index.js'
import { senderPart, sendersTable, withGenerated } from '../../tools/docs/sender-page.js'
import { temporaryDirectory } from '../helpers/context.js'
import { blocksOf, pageText } from '../helpers/pages.js'
import { runCommand } from '../helpers/recorded-io.js'

const pageOf = (name: string): string => `docs/senders/${name}.md`
const NAMES = SENDERS.map(({ name }) => name)

test('every sender has a page, and every page is of a sender', () => {
  const pages = readdirSync('docs/senders').map((file) => file.replace(/\.md$/, ''))
  expect(pages.toSorted()).toEqual(NAMES.toSorted())
})

test('the list and the pages are what the senders declare; `npm run generate` renews them', () => {
  const list = pageText('docs/senders.md')
  expect(withGenerated(list, sendersTable())).toBe(list)
  for (const sender of SENDERS) {
    const page = pageText(pageOf(sender.name))
    expect(page).toContain(senderPart(sender))
    expect(withGenerated(page, senderPart(sender))).toBe(page)
  }
})

test.each(NAMES)('%s: the clicks come first, and name the path and the variable of the config', (name) => {
  const text = pageText(pageOf(name))
  const steps = text.slice(0, text.indexOf('## The config'))
  expect(steps).toMatch(/^1\. /m)
  expect(steps).toContain(`/webhook/${name}`)
  const [, variable = ''] = /"secrets": \[\s*"\$\{env:(\w+)\}"/.exec(text) ?? []
  expect(steps).toContain(`\`${variable}\``)
})

test.each(NAMES)('%s: the scenarios of the page pass with its config', async (name) => {
  const [config, scenarios] = blocksOf(pageOf(name))
  expect(scenarios).toMatchObject({ mark: 'scenarios of', about: name })
  const shown = parse(config?.text ?? '')
  const pipeline = {
    ...('plugin' in shown ? { source: shown } : shown),
    transforms: [{ plugin: 'route', config: { rules: [], otherwise: { topic: 'events' } } }],
    sink: { plugin: 'kafka', config: { brokers: 'kafka:9092' } },
  }
  const cwd = temporaryDirectory({
    'plugins.config.json': JSON.stringify({ pipelines: { events: pipeline } }),
    'scenarios.json': scenarios?.text ?? '',
  })
  const { code, out, err } = await runCommand(testCommand, {}, { cwd })
  expect([code, err], out).toEqual([0, ''])
})
