import TinyQueue from 'tinyqueue'
import type { PipelineState } from './pipeline-state.js'
import type { Owed } from './state-rows.js'

/** The owed acknowledgements that can be tried, by post-commit stage. */
export interface Backlog {
  /** Owes an acknowledgement from now on. */
  add(owed: Owed): void
  /** One that was taken is owed with another due time or at another stage. */
  putBack(owed: Owed): void
  /** One that is in the state already. */
  load(owed: Owed): void
  take(stage: number, now: number): Owed | undefined
  /** One that was taken needs no more. */
  settle(owed: Owed): void
  dueAt(stage: number): number | undefined
  /** Takes up what is parked, where there is room. Called after each flush. */
  refill(): void
}

/** Acknowledgements in memory at once, some 400 bytes each; the rest waits on disk. */
const IN_MEMORY = 20_000

export function createBacklog(state: PipelineState, stages: number, added: (stage: number) => void): Backlog {
  const queues = Array.from({ length: stages }, () => new TinyQueue<Owed>([], (a, b) => a.dueAt - b.dueAt))
  /** In a queue, or taken from one and being tried. */
  let inMemory = 0

  const enqueue = (owed: Owed): void => {
    inMemory++
    queues[owed.stage]?.push(owed)
    added(owed.stage)
  }
  const parkedCount = (): number => state.owedCount() - inMemory

  return {
    add(owed) {
      const park = inMemory >= IN_MEMORY || parkedCount() > 0
      state.owe(owed, park)
      if (!park) enqueue(owed)
    },
    putBack(owed) {
      inMemory--
      // What failed waits on disk as soon as it gets crowded: it must not keep what is fresh out of memory.
      const park = inMemory >= IN_MEMORY / 2
      state.change(owed, park)
      if (!park) enqueue(owed)
    },
    load: enqueue,
    take(stage, now) {
      const queue = queues[stage]
      const first = queue?.peek()
      return first !== undefined && first.dueAt <= now ? queue?.pop() : undefined
    },
    settle(owed) {
      inMemory--
      state.settle(owed)
    },
    dueAt: (stage) => queues[stage]?.peek()?.dueAt,
    refill() {
      if (inMemory > IN_MEMORY / 2 || parkedCount() === 0) return
      for (const owed of state.unpark(IN_MEMORY / 2)) enqueue(owed)
    },
  }
}
