import { expect, test } from 'vitest'
import { plugins } from '../../src/plugins/index.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'

const config = (settings: object) => ({
  pipelines: {
    orders: {
      source: {
        plugin: 'http-webhook',
        config: { path: '/orders', eventId: '/id', verify: { scheme: 'none' } },
      },
      transforms: [{ plugin: 'route', config: { rules: [], otherwise: { topic: 'orders' } } }],
      sink: { plugin: 'kafka', config: { brokers: 'k:9092' } },
      ...settings,
    },
  },
})

const messages = (settings: object): string[] => {
  const result = readText(JSON.stringify(config(settings)), plugins)
  return result.ok ? [] : result.problems.map(({ pointer, message }) => `${pointer}: ${message}`)
}

const inbox = { topic: 'orders.inbox' }
const deadLetter = { topic: 'orders.dlq' }

test('a pipeline may have an inbox, if it has a topic for dead letters', () => {
  expect(messages({ inbox, deadLetter })).toEqual([])
  expect(messages({ inbox })).toEqual([
    expect.stringMatching(
      /^\/pipelines\/orders\/inbox: A pipeline with an inbox needs a topic for dead letters/,
    ),
  ])
})

test.each(['orders', 'orders.dlq'])(
  'the inbox is a topic of its own: not "%s", which the pipeline writes to',
  (topic) => {
    expect(messages({ inbox: { topic }, deadLetter })).toEqual([
      `/pipelines/orders/inbox: The pipeline also writes its records to the topic "${topic}".`,
    ])
  },
)

test('a sink that has no transactions offers no inbox', () => {
  const text = inlineConfig({ inbox, deadLetter })
  const definitions = inlinePlugins().definitions.map((definition) =>
    definition.kind === 'sink' ? { ...definition, inbox: false } : definition,
  )
  const result = readText(text, definitions)
  expect(result.ok ? [] : result.problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^The sink ".*" offers no inbox\.$/),
  ])
})
