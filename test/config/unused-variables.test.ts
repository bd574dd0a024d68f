import { expect, test } from 'vitest'
import { substitute } from '../../src/config/providers.js'
import { unusedVariables } from '../../src/config/unused-variables.js'

const used = { CXONE_CLIENT_ID: 'id', CXONE_CLIENT_SECRET: 's3cret', KAFKA_BROKERS: 'k:9092' }

function found(environment: { [name: string]: string }, references: readonly string[] = Object.keys(used)) {
  const config = { of: references.map((name) => `\${env:${name}}`) }
  const all = { ...used, ...environment }
  return [...unusedVariables(substitute(config, all, '.').resolved, all)]
}

test.each([
  'CXONE_CLIENT_SECERT',
  'CXONE_CLIENT_SECRETS',
  'CXONE_CLIENT_SECRT',
  'CXONE_CLIENT_SECRAT',
  'CXONE_CLIENTSECRET',
  'CXONE_Client_Secret',
  'cxone_client_secret',
])('%s is a slip for a variable that is referred to', (name) => {
  expect(found({ [name]: 'other' })).toEqual([
    {
      pointer: '/of/1',
      name: 'unused-variable',
      message: `The environment variable ${name} is set beside CXONE_CLIENT_SECRET, and nothing refers to it.`,
      suggestion: 'Unset it, or correct the name in this reference.',
    },
  ])
})

test.each([
  ['another short word', 'CXONE_CLIENT_IP'],
  ['a number more', 'CXONE_CLIENT_SECRET2'],
  ['another word', 'CXONE_CLIENT_SCOPES'],
  ['more words', 'CXONE_CLIENT_SECRET_FILE'],
  ['another family', 'AXONE_CLIENT_SECRET'],
  ['a family that the config uses once', 'KAFKA_BROKER'],
])('%s is none: %s', (_what, name) => {
  expect(found({ [name]: 'other' })).toEqual([])
})

test('what is referred to or empty is none, and what is referred to twice is told once', () => {
  const names = ['CXONE_CLIENT_SECRET', 'CXONE_CLIENT_SECRETS', 'CXONE_CLIENT_ID']
  expect(found({ CXONE_CLIENT_SECRETS: 'a' }, names)).toEqual([])
  expect(found({ CXONE_CLIENT_SECRETS: '' })).toEqual([])
  expect(found({ CXONE_CLIENT_SECRETS: 'a' }, ['CXONE_CLIENT_ID', ...Object.keys(used)])).toHaveLength(1)
})
