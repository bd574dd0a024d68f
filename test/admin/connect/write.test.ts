import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { HeadgateError } from '../../../src/contract/errors.js'
import { pipelineOf } from '../../pipeline/reload/setup.js'
import { connectBench } from './setup.js'

test.each([
  'POST /connectors',
  'PUT /connectors/orders/config',
  'PATCH /connectors/orders/config',
  'DELETE /connectors/orders',
])('%s is refused where the config is not writable, with the reason', async (question) => {
  const { it, ask } = await connectBench(undefined, { writable: false })
  const before = readFileSync(it.configFile, 'utf8')
  const { status, body } = await ask(question, {})
  expect([status, body.error_code, body.message]).toEqual([
    403,
    403,
    expect.stringContaining('HEADGATE_CONFIG_WRITABLE'),
  ])
  expect(readFileSync(it.configFile, 'utf8')).toBe(before)
})

test('a change is written where it belongs, comments elsewhere stay, and it runs when it is answered', async () => {
  const { it, ask } = await connectBench()
  const text = JSON.stringify({ pipelines: { orders: pipelineOf() } }, undefined, 2)
    .replace('"orders"', '// the shop\n    "orders"')
    .replace('"sink"', '// the big cluster\n      "sink"')
  it.write(text)
  const transforms = JSON.stringify([{ plugin: 'choose', config: { n: 2 } }])
  const { status, body } = await ask('PATCH /connectors/orders/config', { transforms })
  expect([status, JSON.parse(body.config.transforms)[0].config]).toEqual([200, { n: 2 }])
  expect(readFileSync(it.configFile, 'utf8')).toBe(text.replace(/("choose",\s+"config": \{\s+"n": )1/, '$12'))
  expect(await it.take('a')).toMatchObject({ kind: 'delivered', receipt: { topic: 'topic-2' } })
})

test('what was got can be put back, and changes nothing', async () => {
  const { it, ask } = await connectBench()
  const before = readFileSync(it.configFile, 'utf8')
  const { body: config } = await ask('GET /connectors/orders/config')
  expect((await ask('PUT /connectors/orders/config', config)).status).toBe(200)
  expect(readFileSync(it.configFile, 'utf8')).toBe(before)
})

test('a secret that is not shown is not overwritten: a patch leaves it, a put of what was shown is refused', async () => {
  const orders = {
    ...pipelineOf(),
    sink: { plugin: 'out', config: { n: 1, password: 'in-clear-and-secret' } },
  }
  const { it, ask } = await connectBench({ pipelines: { orders } })
  const { body: config } = await ask('GET /connectors/orders/config')
  expect((await ask('PUT /connectors/orders/config', config)).status).toBe(400)
  expect((await ask('PATCH /connectors/orders/config', { maxPending: 5 })).status).toBe(200)
  expect(readFileSync(it.configFile, 'utf8')).toContain('in-clear-and-secret')
  expect((await ask('PATCH /connectors/orders/config', { maxPending: null })).status).toBe(200)
  expect(readFileSync(it.configFile, 'utf8')).not.toContain('maxPending')
})

test('connectors come and go', async () => {
  const { it, ask } = await connectBench()
  const config = Object.fromEntries(
    Object.entries(pipelineOf({ transform: 7 })).map(([key, value]) => [key, JSON.stringify(value)]),
  )
  const created = await ask('POST /connectors', { name: 'returns', config, initial_state: 'PAUSED' })
  expect([created.status, created.body.name]).toEqual([201, 'returns'])
  expect((await ask('GET /connectors/returns/status')).body.connector.state).toBe('PAUSED')
  expect((await ask('POST /connectors', { name: 'returns', config })).status).toBe(409)
  expect((await ask('DELETE /connectors/returns')).status).toBe(204)
  expect((await ask('GET /connectors')).body).toEqual(['orders'])
  expect(it.targetStates.of('returns')).toBe('RUNNING')
  expect((await ask('DELETE /connectors/returns')).status).toBe(404)
  const wrong = { name: 'returns', config: { sink: 1 }, initial_state: 'PAUSED' }
  expect((await ask('POST /connectors', wrong)).status).toBe(400)
  expect(it.targetStates.of('returns')).toBe('RUNNING')
  expect((await ask('DELETE /connectors/orders')).status).toBe(400)
})

test('an invalid config is refused with every problem, and the file is not touched', async () => {
  const { it, ask } = await connectBench()
  const before = readFileSync(it.configFile, 'utf8')
  const { status, body } = await ask('PATCH /connectors/orders/config', {
    sink: { plugin: 'outt', config: {} },
    maxPending: 0,
  })
  expect(status).toBe(400)
  expect(body.message).toMatch(/HG_CONFIG_PLUGIN.*maxPending|maxPending.*HG_CONFIG_PLUGIN/)
  expect((await ask('PUT /connectors/orders/config', [])).status).toBe(400)
  expect((await ask('PUT /connectors/orders/config', { name: 'other' })).status).toBe(400)
  expect(readFileSync(it.configFile, 'utf8')).toBe(before)
})

test('a config that cannot be taken over is not left in the file', async () => {
  const { it, ask } = await connectBench()
  const before = readFileSync(it.configFile, 'utf8')
  it.check = () => new HeadgateError('HG_KAFKA_PARTITION_MISSING', 'There is no partition 9.')
  const { status, body } = await ask('PATCH /connectors/orders/config', {
    transforms: [{ plugin: 'choose', config: { n: 9 } }],
  })
  expect([status, body.message]).toEqual([500, expect.stringContaining('HG_KAFKA_PARTITION_MISSING')])
  expect(readFileSync(it.configFile, 'utf8')).toBe(before)
  expect(it.reloader.refused()).toBeUndefined()
  expect(await it.take('a')).toMatchObject({ kind: 'delivered', receipt: { topic: 'topic-1' } })
})

test('two changes at once both come to be', async () => {
  const { ask } = await connectBench()
  const responses = await Promise.all([
    ask('PATCH /connectors/orders/config', { maxPending: 7 }),
    ask('PATCH /connectors/orders/config', { transforms: [{ plugin: 'choose', config: { n: 3 } }] }),
  ])
  expect(responses.map(({ status }) => status)).toEqual([200, 200])
  const { body } = await ask('GET /connectors/orders/config')
  expect([body.maxPending, JSON.parse(body.transforms)[0].config.n]).toEqual(['7', 3])
})
