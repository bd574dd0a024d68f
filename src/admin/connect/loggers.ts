import type { LoggerLevel } from '../../process/logging.js'
import { errorResponse, get, json, put, type Route } from '../routes.js'
import { type Connect, isObject } from './connect.js'

/** Log levels by their names in Kafka Connect. */
const LEVELS: ReadonlyMap<string, string> = new Map([
  ['TRACE', 'trace'],
  ['DEBUG', 'debug'],
  ['INFO', 'info'],
  ['WARN', 'warn'],
  ['ERROR', 'error'],
  ['FATAL', 'fatal'],
  ['OFF', 'silent'],
])

/** Changes log levels while the process runs. They last until it restarts. */
export function loggerRoutes({ loggers }: Pick<Connect, 'loggers'>): Route[] {
  return [
    get('/admin/loggers', () =>
      json(200, Object.fromEntries([...loggers.levels()].map(([name, level]) => [name, shown(level)]))),
    ),
    get('/admin/loggers/{logger}', ({ params }) => {
      const level = loggers.levels().get(params['logger'] ?? '')
      return level === undefined
        ? errorResponse(404, `Logger ${params['logger']} not found.`)
        : json(200, shown(level))
    }),
    put('/admin/loggers/{logger}', ({ params, body }) => {
      const wanted = isObject(body) ? body['level'] : undefined
      if (typeof wanted !== 'string')
        return errorResponse(400, "Desired 'level' parameter was not specified in request.")
      const level = LEVELS.get(wanted.toUpperCase())
      if (level === undefined)
        return errorResponse(
          404,
          `Invalid log level '${wanted}'; expected one of ${[...LEVELS.keys()].join(', ')}.`,
        )
      const changed = loggers.set(params['logger'] ?? '', level)
      return json(200, changed)
    }),
  ]
}

const shown = ({
  level,
  changedAt = null,
}: {
  readonly level: string
  readonly changedAt?: LoggerLevel['changedAt'] | null
}) => ({
  level: [...LEVELS].find(([, pinos]) => pinos === level)?.[0] ?? level.toUpperCase(),
  last_modified: changedAt,
})
