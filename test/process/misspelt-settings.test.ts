import { expect, test } from 'vitest'
import { misspeltSettings } from '../../src/process/misspelt-settings.js'

test.each([
  ['HEADGATE_PROT', 'HEADGATE_PORT'],
  ['HEADGATE_LOGLEVEL', 'HEADGATE_LOG_LEVEL'],
  ['headgate_config', 'HEADGATE_CONFIG'],
])('%s has no effect, and %s was meant', (name, meant) => {
  expect(misspeltSettings({ [name]: 'x' })).toEqual([
    `The variable ${name} has no effect: there is no such setting. Did you mean ${meant}?`,
  ])
})

test.each<[string, object]>([
  ['a setting', { HEADGATE_PORT: '1', HEADGATE_HOST: 'x' }],
  ['beside the setting itself', { HEADGATE_PROT: '1', HEADGATE_PORT: '1' }],
  ['like no setting', { HEADGATE_WEBHOOK_TOKEN: 'x', HEADGATE_SERVICE_HOST: 'x' }],
  ['of something else', { PROT: '1', HEADGATEX_PORT: '1' }],
])('nothing is said of what is %s', (_what, environment) => {
  expect(misspeltSettings(environment as { [name: string]: string })).toEqual([])
})
