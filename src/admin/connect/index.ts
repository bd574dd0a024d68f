import { openConsole, wantsPage } from '../console.js'
import { get, json, type Route } from '../routes.js'
import type { Connect } from './connect.js'
import { connectorRoutes } from './connectors.js'
import { loggerRoutes } from './loggers.js'
import { pluginRoutes } from './plugins.js'
import { writeRoutes } from './write.js'

/** The part of Kafka Connect's REST API that applies to pipelines. */
export const connectRoutes = (connect: Connect): Route[] => [
  get('/', ({ headers }) =>
    wantsPage(headers)
      ? openConsole()
      : // Kafka Connect's values for an unknown version and cluster: pipelines can write to several clusters.
        json(200, { version: connect.version, commit: 'unknown', kafka_cluster_id: null }),
  ),
  ...connectorRoutes(connect),
  ...writeRoutes(connect),
  ...pluginRoutes(connect),
  ...loggerRoutes(connect),
]
