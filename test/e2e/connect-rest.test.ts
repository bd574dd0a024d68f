import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { temporaryDirectory } from '../helpers/context.js'
import { webhookPipeline } from '../helpers/pipelines/webhook-pipeline.js'

const TOKEN = 'the-token-of-this-test'
const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }

const config = {
  pipelines: { orders: webhookPipeline({ otherwise: { topic: 'connect.orders', partition: 0 } }) },
}

test('with a token an operator pauses, restarts Headgate, restarts every stage, resumes and changes the config', async () => {
  const kafka = await startKafka(['connect.orders'])
  onTestFinished(kafka.stop)
  const folder = temporaryDirectory({
    'plugins.config.json': `// by hand\n${JSON.stringify(config, undefined, 2)}\n`,
    tokens: `${TOKEN}\n`,
  })
  const start = () =>
    startHeadgate({
      config: join(folder, 'plugins.config.json'),
      env: {
        KAFKA_BROKERS: kafka.bootstrap,
        WEBHOOK_TOKEN: TOKEN,
        HEADGATE_STATE_DIR: join(folder, 'state'),
        HEADGATE_ADMIN_HOST: '0.0.0.0',
        HEADGATE_ADMIN_TOKEN_FILE: join(folder, 'tokens'),
        HEADGATE_CONFIG_WRITABLE: 'true',
      },
    })
  let headgate = await start()
  onTestFinished(() => headgate.kill('SIGKILL'))
  const ask = async (method: string, path: string, body?: object) => {
    const url = new URL(path, headgate.admin.replace('0.0.0.0', '127.0.0.1'))
    const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const send = async (id: string) => {
    const url = new URL('/in', headgate.intake)
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ id }) })
    return { status: response.status, ...((await response.json()) as object) }
  }

  expect(await send('a')).toMatchObject({ status: 200, outcome: 'delivered', offset: 0 })
  expect((await ask('PUT', '/connectors/orders/pause')).status).toBe(202)
  expect(await send('b')).toMatchObject({ status: 503, code: 'HG_INTAKE_PAUSED' })
  expect(await ask('GET', '/ready')).toMatchObject({ status: 200, body: { ready: true, paused: ['orders'] } })

  await headgate.stop()
  headgate = await start()
  expect(await send('b')).toMatchObject({ status: 503, code: 'HG_INTAKE_PAUSED' })
  const restarted = await ask('POST', '/connectors/orders/restart?includeTasks=true')
  expect(restarted).toMatchObject({ status: 202, body: { connector: { state: 'PAUSED' } } })
  expect((await ask('PUT', '/connectors/orders/resume')).status).toBe(202)
  expect(await send('b')).toMatchObject({ status: 200, outcome: 'delivered', offset: 1 })
  expect(await send('a')).toMatchObject({ status: 200, outcome: 'duplicate', offset: 0 })

  const changed = await ask('PATCH', '/connectors/orders/config', { maxPending: 77 })
  expect(changed).toMatchObject({ status: 200, body: { config: { maxPending: '77' } } })
  expect((await ask('GET', '/connectors/orders/offsets')).body.offsets).toMatchObject([
    { partition: { kafka_topic: 'connect.orders', kafka_partition: 0 } },
  ])
  const strange = { headers: { authorization: 'Bearer not-the-token-of-it' } }
  const refused = await fetch(new URL('/connectors', headgate.admin.replace('0.0.0.0', '127.0.0.1')), strange)
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="headgate"'])

  writeFileSync(join(folder, 'tokens'), '')
  expect((await ask('GET', '/connectors')).status).toBe(503)
  expect((await ask('GET', '/health')).status).toBe(200)
  expect(await headgate.stop()).toMatchObject({ code: 0 })
}, 90_000)

test('beyond loopback and without a file of tokens it does not start', async () => {
  const folder = temporaryDirectory({ 'plugins.config.json': JSON.stringify(config) })
  const starting = startHeadgate({
    config: join(folder, 'plugins.config.json'),
    env: { KAFKA_BROKERS: '127.0.0.1:1', WEBHOOK_TOKEN: TOKEN, HEADGATE_ADMIN_HOST: '0.0.0.0' },
  })
  await expect(starting).rejects.toThrow(/HG_ADMIN_EXPOSED/)
})
