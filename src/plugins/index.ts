import type { AnyDefinition } from '../contract/index.js'
import { cxoneAck } from './post-commit/cxone-ack/index.js'
import { kafkaSink } from './sink/kafka/index.js'
import { httpWebhook } from './source/http-webhook/index.js'
import { kafkaSource } from './source/kafka/index.js'
import { jsonSchema } from './transform/json-schema/index.js'
import { route } from './transform/route/index.js'

/** The built-in plugins, in the order of the path. */
export const plugins: readonly AnyDefinition[] = [
  httpWebhook,
  kafkaSource,
  jsonSchema,
  route,
  kafkaSink,
  cxoneAck,
]
