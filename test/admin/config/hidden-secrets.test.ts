import { expect, test } from 'vitest'
import { HiddenSecrets } from '../../../src/admin/config/hidden-secrets.js'
import { plugins } from '../../../src/plugins/index.js'

const SECRET = 'in-clear-and-"secret"'
const OTHER = 'another-secret-of-it'
const TEXT = `{
  // The old one was ${OTHER}.
  "pipelines": {
    "orders": {
      "source": { "plugin": "http-webhook", "config": { "verify": { "scheme": "bearer", "tokens": [${JSON.stringify(SECRET)}, "\${env:TOKEN}"] } } },
      "postCommit": [{ "plugin": "cxone-ack", "config": { "clientSecret": "${OTHER}" } }],
    },
  },
}`
const hide = (secrets: HiddenSecrets, text = TEXT) => secrets.hide(text, { plugins })

test('secrets are replaced in values and comments, and put back; references stay', () => {
  const secrets = new HiddenSecrets()
  const shown = hide(secrets)
  expect(shown).not.toContain('in-clear')
  expect(shown).not.toContain(OTHER)
  expect(shown).toContain('"${env:TOKEN}"')
  expect(shown.match(/\[hidden [0-9a-f]{12}\]/g)).toHaveLength(3)
  expect(secrets.restore(shown)).toBe(TEXT)
})

test('a placeholder stands for its secret wherever it is moved', () => {
  const secrets = new HiddenSecrets()
  const [first = ''] = hide(secrets).match(/"\[hidden [0-9a-f]{12}\]"/g) ?? []
  expect(secrets.restore(`{ "b": ${first}, "a": 1 }`)).toBe(`{ "b": ${JSON.stringify(SECRET)}, "a": 1 }`)
})

test('a text with a placeholder of another process cannot be completed', () => {
  const shown = hide(new HiddenSecrets())
  const other = new HiddenSecrets()
  expect(hide(other)).not.toBe(shown)
  expect(other.restore(shown)).toBeUndefined()
})

test('a secret that other parts of the config have is not left in a comment', () => {
  const text = '{ "a": 1 } // it was the-token-of-the-sender'
  const secrets = new HiddenSecrets()
  const shown = secrets.hide(text, { plugins }, ['the-token-of-the-sender'])
  expect(shown).not.toContain('the-token')
  expect(secrets.restore(shown)).toBe(text)
})
