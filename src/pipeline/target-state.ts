import type { RootDatabase } from 'lmdb'
import { CheckedTables } from '../ledger/checked-tables.js'

/**
 * What an operator wants of a pipeline. `PAUSED`: no events are taken, what is durable is acknowledged. `STOPPED`: nothing is
 * acknowledged either.
 */
export type Intent = 'RUNNING' | 'PAUSED' | 'STOPPED'

/** The intents of the pipelines of a process, by their names. They last as long as the state directory. */
export interface Intents {
  of(pipeline: string): Intent
  keep(pipeline: string, intent: Intent): void
}

export function openIntents(state: RootDatabase): Intents {
  const tables = new CheckedTables(state, '')
  const kept = tables.table<Intent, string>('intents')
  return {
    of: (pipeline) => kept.get(pipeline) ?? 'RUNNING',
    keep(pipeline, intent) {
      tables.writeSync(() => (intent === 'RUNNING' ? kept.remove(pipeline) : kept.put(pipeline, intent)))
    },
  }
}
