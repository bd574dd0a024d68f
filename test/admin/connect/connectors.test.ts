import { expect, test } from 'vitest'
import { HeadgateError } from '../../../src/contract/errors.js'
import { until } from '../../helpers/until.js'
import { pipelineOf } from '../../pipeline/reload/setup.js'
import { askable, connectBench } from './setup.js'

test('the root says which version answers', async () => {
  const { ask } = await connectBench()
  expect(await ask('GET /')).toEqual({
    status: 200,
    body: { version: '1.2.3', commit: 'unknown', kafka_cluster_id: null },
  })
})

test('a pipeline is a connector, and its stages are its tasks', async () => {
  const { ask } = await connectBench()
  expect((await ask('GET /connectors')).body).toEqual(['orders'])
  const { body } = await ask('GET /connectors/orders')
  expect(body).toMatchObject({ name: 'orders', type: 'source', config: { name: 'orders', 'tasks.max': '4' } })
  expect(body.tasks).toEqual([0, 1, 2, 3].map((task) => ({ connector: 'orders', task })))
  expect((await ask('GET /connectors/orders/tasks')).body[2]).toEqual({
    id: { connector: 'orders', task: 2 },
    config: { 'task.class': 'out', stage: 'sink.out' },
  })
  expect((await ask('GET /connectors/orders/topics')).body).toEqual({ orders: { topics: ['topic-1'] } })
  expect((await ask('GET /connectors/gone/status')).status).toBe(404)
})

test('the config is texts only, and never has a secret', async () => {
  const orders = pipelineOf()
  const settings = { ...orders, sink: { plugin: 'out', config: { n: 1, password: 'in-clear-and-secret' } } }
  const { ask } = await connectBench({ pipelines: { orders: settings } })
  const { body } = await ask('GET /connectors/orders/config')
  expect(Object.values(body).every((value) => typeof value === 'string')).toBe(true)
  expect(JSON.parse(body.sink)).toEqual({ plugin: 'out', config: { n: 1, password: '[hidden]' } })
  const all = JSON.stringify((await ask('GET /connectors?expand=info&expand=status')).body)
  expect(all).toContain('"status"')
  expect(all).not.toContain('in-clear-and-secret')
})

test('the status has the reasons of what does not take events, and can be asked for all at once', async () => {
  const { it, ask } = await connectBench()
  const running = { state: 'RUNNING', worker_id: 'here:8083' }
  expect((await ask('GET /connectors/orders/status')).body).toEqual({
    name: 'orders',
    connector: running,
    tasks: [0, 1, 2, 3].map((id) => ({ id, ...running })),
    type: 'source',
  })
  it.notReady = ['Kafka is down.', 'And so is the rest.']
  const failed = { state: 'FAILED', worker_id: 'here:8083', trace: 'Kafka is down.\nAnd so is the rest.' }
  expect((await ask('GET /connectors/orders/tasks/2/status')).body).toEqual({ id: 2, ...failed })
  expect((await ask('GET /connectors?expand=status')).body.orders.status.tasks[2]).toEqual({
    id: 2,
    ...failed,
  })
  expect((await ask('GET /connectors/orders/tasks/9/status')).status).toBe(404)
})

test('before the pipelines have been started, nothing is assigned', async () => {
  const { ask } = await connectBench(undefined, { started: () => false })
  expect((await ask('GET /connectors/orders/status')).body.connector.state).toBe('UNASSIGNED')
})

test('paused, the sender hears 503 with a time to come again; what is durable is acknowledged; a reload changes nothing of it', async () => {
  const { it, ask } = await connectBench()
  let acknowledge = (): void => {}
  it.acknowledge = () => new Promise((resolve) => (acknowledge = () => resolve({ kind: 'acknowledged' })))
  await it.take('before')
  await until(() => it.alive('post-commit').length === 1)
  expect((await ask('PUT /connectors/orders/pause')).status).toBe(202)
  const paused = { kind: 'unavailable', error: { code: 'HG_INTAKE_PAUSED', retryAfter: 30 } }
  expect(await it.take('a')).toMatchObject(paused)
  acknowledge()
  await until(() => it.told.length === 1)
  await it.change({ pipelines: { orders: pipelineOf({ source: 2, transform: 2 }) } })
  expect(await it.take('b')).toMatchObject(paused)
  expect((await ask('GET /connectors/orders/status')).body.connector.state).toBe('PAUSED')
  expect(await it.metric('headgate_pipeline_paused{pipeline="orders"}')).toBe(1)
  expect(it.written).toHaveLength(1)

  expect((await ask('PUT /connectors/orders/resume')).status).toBe(202)
  expect(await it.take('a')).toMatchObject({ kind: 'delivered' })
  expect(await it.metric('headgate_pipeline_paused{pipeline="orders"}')).toBe(0)
})

test('a sender without the right secret does not hear that it is paused', async () => {
  const { it, ask } = await connectBench()
  await ask('PUT /connectors/orders/pause')
  const strange = new HeadgateError('HG_INTAKE_UNAUTHENTICATED', 'Who are you?')
  const outcome = await it.intakes.at(-1)?.(() => {
    throw strange
  })
  expect(outcome).toMatchObject({ kind: 'rejected', error: strange })
})

test('stopped, nothing is acknowledged until it is resumed, not even under another config', async () => {
  const { it, ask } = await connectBench()
  let attempts = 0
  it.acknowledge = async () => {
    attempts++
    return { kind: 'retry', error: new HeadgateError('HG_ACK_RETRY', 'Not now.') }
  }
  await it.take('a')
  await until(() => attempts > 0)
  await ask('PUT /connectors/orders/stop')
  expect((await ask('GET /connectors/orders/status')).body).toMatchObject({
    connector: { state: 'STOPPED' },
    tasks: [],
  })
  await it.change({ pipelines: { orders: pipelineOf({ post: [2] }) } })
  it.acknowledge = async () => ({ kind: 'acknowledged' })
  expect(await it.take('b')).toMatchObject({ kind: 'unavailable' })
  expect(it.told).toEqual([])
  await ask('PUT /connectors/orders/resume')
  await until(() => it.told.length === 1)
  expect(it.told[0]).toMatchObject({ id: 'a', by: { n: 2 } })
})

test('what an operator wants outlives the pipeline itself', async () => {
  const { it, ask } = await connectBench()
  await ask('PUT /connectors/orders/pause')
  await it.change({ pipelines: { others: pipelineOf() } })
  await it.change({ pipelines: { orders: pipelineOf() } })
  expect((await ask('GET /connectors/orders/status')).body.connector.state).toBe('PAUSED')
})

test('a failed stage is made again and put in place of the old one; the others stay', async () => {
  const { it, ask } = await connectBench()
  expect((await ask('POST /connectors/orders/tasks/1/restart')).status).toBe(204)
  expect(it.seen.map(({ kind }) => kind)).toEqual(['transform', 'sink', 'source', 'post-commit', 'transform'])
  await until(() => it.alive('transform').length === 1)
  expect(it.alive('transform')[0]?.id).toBe(4)
  expect(await it.take('a')).toMatchObject({ kind: 'delivered' })
  expect((await ask('POST /connectors/orders/tasks/7/restart')).status).toBe(404)
})

test('a restart of all stages loses no event, and answers with the status where tasks are asked for', async () => {
  const { it, ask } = await connectBench()
  expect((await ask('POST /connectors/orders/restart?includeTasks=true&onlyFailed=true')).status).toBe(202)
  expect(it.seen).toHaveLength(4)
  const { status, body } = await ask('POST /connectors/orders/restart?includeTasks=true')
  expect([status, body.connector.state]).toEqual([202, 'RUNNING'])
  expect(it.seen).toHaveLength(8)
  expect(await it.take('a')).toMatchObject({ kind: 'delivered' })
  expect((await ask('POST /connectors/orders/restart')).status).toBe(204)
})

test('a stage that cannot be restarted leaves the old one where it is', async () => {
  const { it, ask } = await connectBench()
  it.start = async () => {
    throw new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka cannot be reached.')
  }
  const { status, body } = await ask('POST /connectors/orders/tasks/2/restart')
  expect([status, body.error_code, body.message]).toEqual([
    500,
    500,
    expect.stringContaining('Kafka cannot be'),
  ])
  expect(await it.take('a')).toMatchObject({ kind: 'delivered' })
})

test('offsets are how far each partition is acknowledged', async () => {
  const { ask } = await connectBench()
  expect(await ask('GET /connectors/orders/offsets')).toEqual({ status: 200, body: { offsets: [] } })
})

test('loggers have the levels of Kafka Connect, which hold for loggers of later configs too', async () => {
  const { ask, loggers } = await connectBench()
  const info = { level: 'INFO', last_modified: null }
  expect((await ask('GET /admin/loggers')).body).toEqual({ root: info })
  const stage = loggers.of({ pipeline: 'orders', stage: 'sink.out' })
  expect((await ask('PUT /admin/loggers/orders', { level: 'debug' })).body).toEqual(['orders.sink.out'])
  expect(stage).toMatchObject({ level: 'debug' })
  expect(loggers.of({ pipeline: 'orders' })).toMatchObject({ level: 'debug' })
  expect((await ask('GET /admin/loggers/orders.sink.out')).body).toEqual({
    level: 'DEBUG',
    last_modified: expect.any(Number),
  })
  expect((await ask('PUT /admin/loggers/root', { level: 'OFF' })).body).toContain('orders')
  expect(stage).toMatchObject({ level: 'silent' })
  expect((await ask('PUT /admin/loggers/root', { level: 'LOUD' })).status).toBe(404)
  expect((await ask('PUT /admin/loggers/root', {})).status).toBe(400)
  expect((await ask('GET /admin/loggers/nobody')).status).toBe(404)
})

test('plugins are listed, and a config is judged setting by setting without a secret in the response', async () => {
  const { ask } = await connectBench()
  expect((await ask('GET /connector-plugins')).body).toEqual([
    { class: 'headgate.Pipeline', type: 'source', version: '1.2.3' },
  ])
  expect((await ask('GET /connector-plugins?connectorsOnly=false')).body).toContainEqual({
    class: 'tell',
    type: 'post-commit',
    version: '1.2.3',
  })
  const { status, body } = await ask('PUT /connector-plugins/out/config/validate', {
    password: 'a-secret-of-mine',
    linger: '1',
  })
  expect([status, body.name, body.error_count]).toEqual([200, 'out', 2])
  const value = (name: string) =>
    body.configs.find((one: { value: { name: string } }) => one.value.name === name)
  expect(value('n')).toMatchObject({
    definition: { type: 'LONG', required: true, documentation: 'Some number.' },
    value: { value: null, errors: [expect.stringContaining('HG_CONFIG_MISSING_KEY')], visible: true },
  })
  expect(value('linger')).toMatchObject({ definition: null, value: { errors: [expect.any(String)] } })
  expect(value('password').value).toMatchObject({ value: '[hidden]', errors: [] })
  expect(JSON.stringify(body)).not.toContain('a-secret-of-mine')
  expect((await ask('PUT /connector-plugins/out/config/validate', { n: '5' })).body.error_count).toBe(0)
  expect((await ask('PUT /connector-plugins/none/config/validate', {})).status).toBe(404)
})

test('a whole pipeline is judged as a reload would judge it', async () => {
  const { it, ask } = await connectBench()
  const own = (await ask('GET /connectors/orders/config')).body
  const judge = (config: object) => ask('PUT /connector-plugins/headgate.Pipeline/config/validate', config)
  expect((await judge(own)).body.error_count).toBe(0)
  const { body } = await judge({ ...own, sink: { plugin: 'outt', config: {} } })
  expect(body.error_count).toBe(1)
  const { value } = body.configs.find((one: { value: { name: string } }) => one.value.name === 'sink')
  expect(value.errors).toEqual([expect.stringContaining('Did you mean "out"?')])
  const { ask: readOnly } = await askable(it, { writable: false })
  const strange = { ...own, sink: { plugin: 'out', config: { n: 1, password: '${file:/etc/hostname}' } } }
  expect((await readOnly('PUT /connector-plugins/headgate.Pipeline/config/validate', strange)).status).toBe(
    403,
  )
})
