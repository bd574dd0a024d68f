import type { RootDatabase } from 'lmdb'
import { CheckedTables } from '../ledger/checked-tables.js'

/**
 * The state that an operator has set. `PAUSED`: the pipeline takes no events, and still acknowledges durable ones. `STOPPED`: it
 * does neither.
 */
export type TargetState = 'RUNNING' | 'PAUSED' | 'STOPPED'

/** The target states of the pipelines of a process, by name. They last as long as the state directory. */
export interface TargetStates {
  of(pipeline: string): TargetState
  keep(pipeline: string, targetState: TargetState): void
}

export function openTargetStates(state: RootDatabase): TargetStates {
  const tables = new CheckedTables(state, '')
  const kept = tables.table<TargetState, string>('intents')
  return {
    of: (pipeline) => kept.get(pipeline) ?? 'RUNNING',
    keep(pipeline, targetState) {
      tables.writeSync(() =>
        targetState === 'RUNNING' ? kept.remove(pipeline) : kept.put(pipeline, targetState),
      )
    },
  }
}
