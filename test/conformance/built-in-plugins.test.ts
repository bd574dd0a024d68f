import { describe, expect, test } from 'vitest'
import { testPlugin } from '../../src/conformance/test-plugin.js'
import { parseBody } from '../../src/lib/json/body.js'
import { plugins } from '../../src/plugins/index.js'

/** Port 1 is reserved and nobody listens on it. */
const NOBODY = '127.0.0.1:1'

/** By kind and name. */
const configs: { readonly [name: string]: object } = {
  'source http-webhook': {
    path: '/webhook/test',
    eventId: '/dataActionId',
    verify: { scheme: 'bearer', tokens: ['s3cret-token'] },
  },
  'source kafka': { topics: ['orders'], id: '/dataActionId' },
  'transform json-schema': { schema: './schemas/cxone-data-action.schema.json' },
  'transform route': {
    rules: [
      { name: 'regex', when: { regex: '"priority":"high"' }, to: { topic: 'a', partition: 0 } },
      { name: 'jsonata', when: { jsonata: "payload.region = 'eu'" }, to: { topic: 'b' } },
    ],
    otherwise: { topic: 'c', partition: 2 },
  },
  'sink kafka': { brokers: NOBODY, key: '/dataActionId', value: '/payload' },
  'post-commit cxone-ack': { baseUrl: `http://${NOBODY}`, clientId: 'id', clientSecret: 's3cret-client' },
}

const event = {
  id: 'a',
  receivedAt: 0,
  body: parseBody(
    Buffer.from(
      '{"dataActionId":"a","eventType":"created","timestamp":"2026-01-02T03:04:05Z","payload":{"n":1.0}}',
    ),
    64,
  ),
}

test('every built-in plugin is tried', () => {
  expect(plugins.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual(Object.keys(configs).sort())
})

for (const definition of plugins) {
  describe(`${definition.kind} ${definition.name}`, () => {
    const subject = {
      config: configs[`${definition.kind} ${definition.name}`] ?? {},
      folder: process.cwd(),
      secrets: ['s3cret-token', 's3cret-client'],
      events: [event],
    }
    for (const { name, run } of testPlugin(definition, subject)) test(name, run, 20_000)
  })
}
