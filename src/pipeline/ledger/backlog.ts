import TinyQueue from 'tinyqueue'
import type { PipelineState } from './pipeline-state.js'
import type { Owed, StageAfter } from './state-rows.js'

/** The owed acknowledgements that can be tried, by post-commit stage. */
export interface Backlog {
  /** Owes an acknowledgement from now on. */
  add(owed: Omit<Owed, 'parked'>): void
  /** One that was taken is owed with another due time or at another stage. */
  putBack(taken: Owed, change: Pick<Owed, 'stage' | 'attempts' | 'dueAt'>): void
  /** One that is in the state already. */
  load(owed: Owed): void
  take(stage: number, now: number): Owed | undefined
  /** One that was taken needs no more. */
  settle(taken: Owed): void
  /** Where one that was taken is tried again, and where it goes on once it is acknowledged there. */
  stageOf(taken: Owed): number
  stageBehind(taken: Owed): number
  dueAt(stage: number): number | undefined
  isPartlyOnDisk(): boolean
  /** There are other stages from now on. */
  restage(stages: number, stageAfter: StageAfter): void
  /** Takes up what is parked, where there is room. Called at start, and after each flush but the last. */
  refill(): void
  /** Parks all there is in memory, which is over: called before the last flush. */
  park(): void
}

export interface BacklogOptions {
  readonly state: PipelineState
  readonly stages: number
  added(stage: number): void
  /** Told of acknowledgements that are owed no more: nobody is left to be told. */
  orphaned(count: number): void
}

/** Acknowledgements in memory at once, some 400 bytes each; the rest waits on disk. */
const IN_MEMORY = 20_000

export function createBacklog({ state, stages, added, orphaned }: BacklogOptions): Backlog {
  let queues = newQueues(stages)
  /** Being tried. They are few, and come and go with each event: an array, unlike a Map, has no tables to outgrow. */
  const taken: Owed[] = []
  /** Of these, the stages under the config of now, where that is no longer the one they were taken under. */
  const restaged = new Map<Owed, { readonly stage: number; readonly behind: number }>()
  /** In a queue, or taken from one and being tried. */
  let inMemory = 0

  const enqueue = (owed: Owed): void => {
    const queue = queues[owed.stage]
    if (queue === undefined) {
      state.settle(owed)
      orphaned(1)
      return
    }
    inMemory++
    queue.push(owed)
    added(owed.stage)
  }
  const release = (owed: Owed): void => {
    const last = taken.pop() as Owed
    if (last !== owed) taken[taken.indexOf(owed)] = last
    restaged.delete(owed)
    inMemory--
  }
  const parkedCount = (): number => state.owedCount() - inMemory

  return {
    add({ key, committed, committedAt, stage, attempts, dueAt }) {
      const parked = inMemory >= IN_MEMORY || parkedCount() > 0
      const owed = { key, committed, committedAt, stage, attempts, dueAt, parked }
      state.owe(owed)
      if (!parked) enqueue(owed)
    },
    putBack(before, change) {
      release(before)
      // What failed waits on disk as soon as it gets crowded: it must not keep what is fresh out of memory.
      const owed = { ...before, ...change, parked: inMemory >= IN_MEMORY / 2 }
      state.change(owed)
      if (!owed.parked) enqueue(owed)
    },
    load: enqueue,
    take(stage, now) {
      const queue = queues[stage]
      const first = queue?.peek()
      if (first === undefined || first.dueAt > now) return undefined
      queue?.pop()
      taken.push(first)
      return first
    },
    settle(owed) {
      release(owed)
      state.settle(owed)
    },
    stageOf: (owed) => restaged.get(owed)?.stage ?? owed.stage,
    stageBehind: (owed) => restaged.get(owed)?.behind ?? owed.stage + 1,
    dueAt: (stage) => queues[stage]?.peek()?.dueAt,
    isPartlyOnDisk: () => parkedCount() > 0,
    restage(count, stageAfter) {
      const waiting = queues.flatMap(({ data }) => data)
      queues = newQueues(count)
      inMemory -= waiting.length
      const parkedOrphans = state.restageParked(stageAfter)
      if (parkedOrphans > 0) orphaned(parkedOrphans)
      for (const owed of taken) {
        const now = restaged.get(owed)
        const stage = stageAfter(now?.stage ?? owed.stage)
        restaged.set(owed, { stage, behind: stageAfter(now?.behind ?? owed.stage + 1) })
        if (stage < count) state.change({ ...owed, stage })
      }
      for (const before of waiting) {
        const owed = { ...before, stage: stageAfter(before.stage) }
        if (owed.stage < count && owed.stage !== before.stage) state.change(owed)
        enqueue(owed)
      }
    },
    refill() {
      if (inMemory > IN_MEMORY / 2 || parkedCount() === 0) return
      for (const owed of state.unpark(IN_MEMORY / 2)) enqueue(owed)
    },
    park() {
      for (const owed of queues.flatMap(({ data }) => data)) state.change({ ...owed, parked: true })
      for (const owed of taken) {
        const stage = this.stageOf(owed)
        if (stage < queues.length) state.change({ ...owed, stage, parked: true })
      }
    },
  }
}

const newQueues = (stages: number) =>
  Array.from({ length: stages }, () => new TinyQueue<Owed>([], (a, b) => a.dueAt - b.dueAt))
