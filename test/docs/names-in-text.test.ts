import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ERRORS } from '../../src/contract/errors.js'
import { SETTINGS } from '../../src/process/settings.js'
import { PAGES, pageText } from '../helpers/pages.js'

const metrics = new Set(readFileSync('docs/metrics.md', 'utf8').match(/\bheadgate_[a-z0-9_]+/g))
const variables = new Set(JSON.stringify(SETTINGS).match(/HEADGATE_[A-Z0-9_]+/g))
const known = (name: string): boolean =>
  name.startsWith('HG_')
    ? name in ERRORS
    : name.startsWith('headgate_')
      ? // The series of a histogram.
        metrics.has(name.replace(/_(?:bucket|sum|count)$/, ''))
      : variables.has(name)

test.each(PAGES)('%s: the codes, metrics and variables in it exist', (page) => {
  // One that ends in "_" stands for several.
  // The file of a Debian package has an underscore where a metric could.
  const text = pageText(page).replaceAll(/\bheadgate_[\w.]+\.deb\b/g, '')
  const named = text.match(/\b(?:HG_|HEADGATE_|headgate_)[A-Za-z0-9_]*[A-Za-z0-9]\b(?![_*])/g) ?? []
  expect([...new Set(named)].filter((name) => !known(name))).toEqual([])
})

test('a name that does not exist would be found', () => {
  expect(['HG_CONFIG_VALUE', 'headgate_events_total', 'HEADGATE_PORT'].map(known)).toEqual([true, true, true])
  expect(['HG_LOST', 'headgate_lost_total', 'HEADGATE_LOST'].map(known)).toEqual([false, false, false])
})
