import type { TargetStates } from './pipeline/target-state.js'
import type { Loggers } from './process/log-levels.js'
import type { Workers } from './workers/pool.js'

/** What operators change while the process runs, and its workers are told of. */
export const toldToWorkers = (
  targetStates: TargetStates,
  loggers: Loggers,
  workers: Pick<Workers, 'tell'> | undefined,
): { readonly targetStates: TargetStates; readonly loggers: Loggers } => ({
  targetStates: {
    of: targetStates.of,
    keep(pipeline, targetState) {
      targetStates.keep(pipeline, targetState)
      workers?.tell({ kind: 'target-state', pipeline, targetState })
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
