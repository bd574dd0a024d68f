import { definePlugin } from '../../../contract/index.js'
import { checkStart } from './checks.js'
import { SETTINGS } from './settings.js'
import { KafkaSource } from './source.js'

export const kafkaSource = definePlugin({
  kind: 'source',
  name: 'kafka',
  summary: 'Takes the records of topics as events, and shares their partitions among all instances.',
  config: SETTINGS,
  check: ({ start }) => checkStart(start),
  topics: ({ topics }) => topics.map((topic, index) => ({ at: `/topics/${index}`, topic })),
  create: (config) => new KafkaSource(config),
})
