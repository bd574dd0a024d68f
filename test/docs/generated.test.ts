import { readFileSync } from 'node:fs'
import { parse } from 'jsonc-parser'
import { expect, test } from 'vitest'
import { loadCommands } from '../../src/commands/index.js'
import { editorSchema } from '../../src/config/editor-schema.js'
import { ERRORS } from '../../src/contract/errors.js'
import { plugins } from '../../src/plugins/index.js'
import { readingFailures, recordFailures } from '../../src/plugins/sink/kafka/failures.js'
import { SETTINGS } from '../../src/process/settings.js'
import { chartReadme } from '../../tools/docs/chart-readme.js'
import { configReference } from '../../tools/docs/config-reference.js'
import { errorReference } from '../../tools/docs/error-reference.js'
import { manPage } from '../../tools/docs/man-page.js'
import { pluginApiReference } from '../../tools/docs/plugin-api.js'

const read = (path: string) => readFileSync(path, 'utf8')

const shippedText = read('plugins.config.json')

test('the error reference is what the table of codes says; `npm run generate` renews it', () => {
  expect(read('docs/errors.md')).toBe(errorReference({ record: recordFailures, reading: readingFailures }))
})

test('every error of librdkafka in the reference has a name, a number of its own and one row', () => {
  for (const failures of [recordFailures, readingFailures]) {
    expect(new Set(failures.map(({ number }) => number)).size).toBe(failures.length)
    for (const { name, number } of failures) {
      expect(name).toMatch(/^ERR_[A-Z_]+$/)
      expect(read('docs/errors.md')).toContain(`| \`${name}\` (${number}) |`)
    }
  }
})

test('every code that is thrown or reported stands in the table, with a meaning and an action', () => {
  for (const [code, { meaning, action }] of Object.entries(ERRORS)) {
    expect(code).toMatch(/^HG_[A-Z]+(_[A-Z0-9]+)+$/)
    expect(meaning).toMatch(/^.+\.$/)
    expect(action).toMatch(/^.+\.$/)
  }
})

test('the editor schema is what the plugins declare; `npm run generate` renews it', () => {
  expect(JSON.parse(read('schemas/plugins.config.schema.json'))).toEqual(
    JSON.parse(JSON.stringify(editorSchema(plugins, parse(shippedText)))),
  )
})

test('the config reference is what plugins and settings declare; `npm run generate` renews it', () => {
  expect(read('docs/config.md')).toBe(configReference(plugins, SETTINGS, shippedText))
})

test('the manual page is what commands and settings declare; `npm run generate` renews it', async () => {
  expect(read('docs/headgate.1')).toBe(manPage(await loadCommands(), JSON.parse(read('package.json'))))
})

test('the README of the chart is what its values file says; `npm run generate` renews it', () => {
  expect(read('deploy/helm/headgate/README.md')).toBe(chartReadme(read('deploy/helm/headgate/values.yaml')))
})

test('no text of the manual page is taken for a request of roff, and every hyphen is one', () => {
  const lines = read('docs/headgate.1').split('\n')
  const requests = lines.filter((line) => /^[.']/.test(line)).map((line) => line.split(' ')[0])
  expect([...new Set(requests)].toSorted()).toEqual(
    '.B .PP .SH .SS .TH .TP .\\" .br .fi .nf'.split(' ').toSorted(),
  )
  for (const line of lines.filter((line) => !line.startsWith('.'))) expect(line).not.toMatch(/(?<!\\)-/)
})

test('the API of plugins is what `headgate/plugin` exports; `npm run generate` renews it', () => {
  expect(read('docs/plugin-api.md')).toBe(pluginApiReference())
}, 60_000)
