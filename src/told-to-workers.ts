import type { Intents } from './pipeline/target-state.js'
import type { Loggers } from './process/log-levels.js'
import type { Workers } from './workers/pool.js'

/** What operators change while the process runs, and its workers are told of. */
export const toldToWorkers = (
  intents: Intents,
  loggers: Loggers,
  workers: Pick<Workers, 'tell'> | undefined,
): { readonly intents: Intents; readonly loggers: Loggers } => ({
  intents: {
    of: intents.of,
    keep(pipeline, intent) {
      intents.keep(pipeline, intent)
      workers?.tell({ kind: 'intent', pipeline, intent })
    },
  },
  loggers: {
    ...loggers,
    set(name, level) {
      workers?.tell({ kind: 'level', name, level })
      return loggers.set(name, level)
    },
  },
})
