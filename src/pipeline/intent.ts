import type { RootDatabase } from 'lmdb'

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
  const kept = state.openDB<Intent, string>({ name: 'intents' })
  return {
    of: (pipeline) => kept.get(pipeline) ?? 'RUNNING',
    keep(pipeline, intent) {
      if (intent === 'RUNNING') kept.removeSync(pipeline)
      else kept.putSync(pipeline, intent)
    },
  }
}
