import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { generateConfig, payloadFor, RULE_KINDS } from '../../../bench/programs/generated-config.js'
import { readConfig } from '../../../src/config/read.js'
import { plugins } from '../../../src/plugins/index.js'
import { temporaryDirectory } from '../../helpers/context.js'

const schema = resolve('schemas/cxone-data-action.schema.json')

test.each(RULE_KINDS)('a config with rules of the kind "%s" is valid', (kind) => {
  const config = generateConfig({ pipelines: 2, rules: 10, kind, schema, topic: 'events' })
  const cwd = temporaryDirectory({ 'plugins.config.json': JSON.stringify(config) })
  const environment = {
    WEBHOOK_TOKEN: 'test-webhook-token',
    KAFKA_BROKERS: '127.0.0.1:9',
    CXONE_BASE_URL: 'http://127.0.0.1:9',
    CXONE_CLIENT_ID: 'id',
    CXONE_CLIENT_SECRET: 'test-client-secret',
  }
  const read = readConfig(join(cwd, 'plugins.config.json'), { plugins, environment, exposed: false, cwd })
  expect(read).toMatchObject({ ok: true })
})

test('the events of a config are for its last rule', () => {
  expect(payloadFor(500)).toBe('"kind":"kind-500"')
})
