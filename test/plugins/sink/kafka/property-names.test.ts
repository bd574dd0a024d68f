import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  GLOBAL_PROPERTIES,
  PRODUCER_PROPERTIES,
  TOPIC_PROPERTIES,
} from '../../../../src/plugins/sink/kafka/property-names.js'

const DECLARATION = readFileSync('node_modules/node-rdkafka/config.d.ts', 'utf8')

/** Pointers of C, which no text can set. */
const POINTERS =
  /_cb$|^opaque$|^default_topic_conf$|^interceptors$|^msg_order_cmp$|^ssl_(key|certificate|ca|engine_callback_data)$/

function declared(name: string): string[] {
  const body = new RegExp(`^export interface ${name}[ {][^]*?^}`, 'm').exec(DECLARATION)?.[0] ?? ''
  return [...body.matchAll(/^ {4}"([^"]+)"/gm)].flatMap(([, property = '']) =>
    POINTERS.test(property) ? [] : [property],
  )
}

test('knows the topic properties of the installed librdkafka', () => {
  const names = [...declared('TopicConfig'), ...declared('ProducerTopicConfig')]
  expect(names.length).toBeGreaterThan(5)
  expect([...TOPIC_PROPERTIES].sort()).toEqual(names.sort())
})

test('knows the global properties of the installed librdkafka', () => {
  const names = new Set([...declared('GlobalConfig'), ...declared('ProducerGlobalConfig')])
  expect(names.size).toBeGreaterThan(100)
  const own = [...names].filter((name) => !TOPIC_PROPERTIES.has(name))
  expect([...GLOBAL_PROPERTIES].sort()).toEqual(own.sort())
})

test('knows which properties the installed librdkafka has for producers only', () => {
  const shared = new Set(declared('GlobalConfig'))
  const own = declared('ProducerGlobalConfig').filter(
    (name) => !shared.has(name) && !TOPIC_PROPERTIES.has(name),
  )
  expect([...PRODUCER_PROPERTIES].sort()).toEqual(own.sort())
})
