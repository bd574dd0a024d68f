import { Ajv } from 'ajv'
import { parse } from 'jsonc-parser'
import { expect, test } from 'vitest'
import { editorSchema } from '../../src/config/editor-schema.js'
import { formatLocation } from '../../src/config/problem.js'
import { plugins } from '../../src/plugins/index.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'

const pipeline = (path: string, sink: unknown) => ({
  source: { plugin: 'http-webhook', config: { path, eventId: '/id', verify: { scheme: 'none' } } },
  transforms: [{ plugin: 'route', config: { rules: [], otherwise: { topic: 'orders' } } }],
  sink,
  deadLetter: { topic: 'orders.dlq' },
})
const MAIN = { plugin: 'kafka', config: { brokers: 'k:9092', key: '/id', properties: { 'linger.ms': 5 } } }

/** One member a line, so that places tell members apart. */
const text = (config: object): string => JSON.stringify(config, null, 1)
const read = (config: object) =>
  readText(text(config), plugins, { environment: { PASSWORD: 'hunter2-hunter2' } })

function lineOf(config: object, part: string): number {
  return text(config).slice(0, text(config).indexOf(part)).split('\n').length
}

function checked(config: object) {
  const result = read(config)
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join(' '))
  return result.config
}

function problems(config: object) {
  const result = read(config)
  return result.ok ? [] : result.problems
}

test('a pipeline has the sink that it names, with its own settings before those of the sink', () => {
  const { pipelines } = checked({
    sinks: { main: MAIN },
    pipelines: {
      orders: pipeline('/orders', 'main'),
      payments: pipeline('/payments', { use: 'main', config: { key: '/paymentId' }, onError: 'dead-letter' }),
      own: pipeline('/own', MAIN),
    },
  })
  const [orders, payments, own] = pipelines
  expect(orders?.sink.config).toEqual(own?.sink.config)
  expect(payments?.sink.config).toEqual({ ...(own?.sink.config as object), key: '/paymentId' })
  expect(payments?.settings.sink.onError).toBe('dead-letter')
  expect(orders?.settings.sink.onError).toBe('reject')
  expect(pipelines.map(({ sink }) => sink.sharedAs)).toEqual(['main', 'main', undefined])
})

test('a name that no sink has is told with the nearest one, at its place', () => {
  const config = { sinks: { main: MAIN }, pipelines: { orders: pipeline('/orders', 'mian') } }
  const [problem, ...others] = problems(config)
  expect(others).toEqual([])
  expect(problem).toMatchObject({
    code: 'HG_CONFIG_VALUE',
    pointer: '/pipelines/orders/sink',
    message: 'There is no sink "mian" in "sinks".',
    expected: 'one of "main"',
    suggestion: 'Did you mean "main"?',
  })
  expect(problem?.location.line).toBe(lineOf(config, '"mian"'))
  const without = { pipelines: { orders: pipeline('/orders', { use: 'main' }) } }
  expect(problems(without)).toMatchObject([
    { pointer: '/pipelines/orders/sink/use', expected: 'a sink that "sinks" declares' },
  ])
})

test('what is wrong with a named sink is told once, where it is declared', () => {
  const config = {
    sinks: {
      main: { plugin: 'kafka', config: { brokers: 'k', keey: '/id', properties: { 'linger.mss': 1 } } },
    },
    pipelines: {
      orders: pipeline('/orders', 'main'),
      payments: pipeline('/payments', { use: 'main', config: { key: '/paymentId' } }),
    },
  }
  expect(problems(config).map(({ pointer }) => pointer)).toEqual([
    '/sinks/main/config/brokers',
    '/sinks/main/config/keey',
  ])
})

test('what is wrong with the settings of a pipeline is told in the pipeline', () => {
  const config = {
    sinks: { main: MAIN },
    pipelines: {
      orders: pipeline('/orders', {
        use: 'main',
        config: { key: 'id', properties: { acks: 1 } },
        onEror: 'drop',
      }),
    },
  }
  expect(problems(config).map(({ pointer }) => pointer)).toEqual([
    '/pipelines/orders/sink/config/key',
    '/pipelines/orders/sink/onEror',
  ])
})

test('a sink that nobody uses is checked, and linted', () => {
  const config = { sinks: { main: MAIN, old: MAIN }, pipelines: { orders: pipeline('/orders', 'main') } }
  const { warnings } = checked(config)
  expect(warnings.filter(({ name }) => name === 'sink-unused')).toMatchObject([
    { pointer: '/sinks/old', message: 'No pipeline uses the sink "old".' },
  ])
  const broken = { ...config, sinks: { ...config.sinks, old: { plugin: 'kafca', config: {} } } }
  expect(problems(broken)).toMatchObject([
    { pointer: '/sinks/old/plugin', suggestion: 'Did you mean "kafka"?' },
  ])
})

test('secrets of a named sink are secrets, and a reference without a value is told at its place', () => {
  const sinks = (password: string) => ({
    main: { ...MAIN, config: { ...MAIN.config, properties: { 'sasl.password': password } } },
  })
  const pipelines = { orders: pipeline('/orders', 'main') }
  const inClear = checked({ sinks: sinks('hunter2'), pipelines })
  expect(JSON.stringify(inClear.written)).not.toContain('hunter2')
  expect(inClear.warnings.map(({ name, pointer }) => `${name} ${pointer}`)).toContain(
    'secret-in-clear /sinks/main/config/properties/sasl.password',
  )
  expect(checked({ sinks: sinks('${env:PASSWORD}'), pipelines }).secrets.has('hunter2-hunter2')).toBe(true)
  expect(problems({ sinks: sinks('${env:NOWHERE}'), pipelines })).toMatchObject([
    { code: 'HG_CONFIG_PROVIDER', pointer: '/sinks/main/config/properties/sasl.password' },
  ])
})

test('a warning about a named sink is given once for all its pipelines', () => {
  const config = {
    sinks: { main: { plugin: 'kafka', config: { brokers: 'k:9092' } } },
    pipelines: { orders: pipeline('/orders', 'main'), payments: pipeline('/payments', 'main') },
  }
  const said = checked(config).warnings.map(
    ({ name, location, message }) => `${name} ${formatLocation(location)} ${message}`,
  )
  expect(new Set(said).size).toBe(said.length)
})

test('editors take what is taken here, and mark what is not', () => {
  const fits = new Ajv({ strict: false, logger: false }).compile(editorSchema(plugins, parse('{}')))
  const file = (sink: unknown) => ({
    sinks: { main: MAIN },
    pipelines: { orders: pipeline('/orders', sink) },
  })
  for (const sink of ['main', { use: 'main' }, { use: 'main', config: { key: '/x' }, onError: 'drop' }, MAIN])
    expect(fits(file(sink))).toBe(true)
  for (const sink of [
    7,
    {},
    { use: 7 },
    { use: 'main', config: { keey: '/x' } },
    { use: 'main', onEror: 'drop' },
  ])
    expect(fits(file(sink))).toBe(false)
  expect(fits({ ...file('main'), sinks: { main: { plugin: 'kafka', config: { brokers: 7 } } } })).toBe(false)
})
