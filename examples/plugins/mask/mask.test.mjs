// @ts-check
import assert from 'node:assert/strict'
import test from 'node:test'
import { testPlugin } from 'headgate/conformance'
import { parseBody } from 'headgate/plugin'
import { mask } from './mask.mjs'

const config = { values: ['/payload/email', '/payload/card/number'], with: '***' }

/** @param {string} text */
const eventOf = (text) => ({ id: 'a', receivedAt: 0, body: parseBody(Buffer.from(text), 64) })

const event = eventOf('{"id": "a", "payload": {"email": "ada@example.com", "total": 1.0}}')

// Every plugin has to pass these, the built-in ones too.
const subject = { config, folder: import.meta.dirname, secrets: [], events: [event] }
for (const { name, run } of testPlugin(mask, subject)) test(name, run)

test('masks the values and leaves every other byte as it was', async () => {
  const { apply } = mask.create(config, /** @type {any} */ ({}))
  const verdict = await apply(event)
  assert(verdict.kind === 'pass')
  const masked = '{"id": "a", "payload": {"email": "***", "total": 1.0}}'
  assert.equal(verdict.event.body.bytes.toString(), masked)
})
