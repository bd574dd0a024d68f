import { expect, test } from 'vitest'
import { configNews } from '../../src/sandbox/headgate-log.js'

const line = (fields: object): string => JSON.stringify({ level: 'info', time: 'now', ...fields })

test.each([
  { event: 'config', msg: 'the new config is what runs' },
  {
    level: 'error',
    code: 'HG_CONFIG_VALUE',
    msg: 'the new config was not taken, the old one goes on: because',
  },
])('$msg is news of the config', (fields) => {
  expect(configNews(line(fields))).toBe(fields.msg)
})

test.each([
  line({ event: 'listening', msg: 'listening' }),
  line({ level: 'debug', event: 'config', msg: 'the config says what runs already' }),
  'no JSON, "event":"config"',
])('%s is none', (text) => {
  expect(configNews(text)).toBeUndefined()
})
