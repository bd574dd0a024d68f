import { AckQueue, LEVELS } from './ack-queue.js'
import type { Owed, StageAfter } from './rows.js'
import type { PipelineState } from './store.js'

/** The owed acknowledgements that can be tried, by post-commit stage. */
export interface Backlog {
  /** Owes an acknowledgement from now on. */
  add(owed: Omit<Owed, 'parked'>): void
  /** One that was taken is owed with another due time or at another stage. */
  putBack(taken: Owed, change: Pick<Owed, 'stage' | 'attempts' | 'dueAt'>): void
  /** One that is in the state already. */
  load(owed: Owed): void
  /** `untriedOnly`: none that has failed before. */
  take(stage: number, now: number, untriedOnly: boolean): Owed | undefined
  /** One that was taken needs no more. */
  settle(taken: Owed): void
  /** Where one that was taken is tried again, and where it goes on once it is acknowledged there. */
  stageOf(taken: Owed): number
  stageBehind(taken: Owed): number
  dueAt(stage: number, untriedOnly: boolean): number | undefined
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

/**
 * Acknowledgements in memory at once, some 400 bytes each; the rest waits on disk. Half of them may have failed before: those
 * that keep failing must not keep what was never tried out of memory.
 */
const IN_MEMORY = 20_000
const FAILED_IN_MEMORY = IN_MEMORY / 2

export function createBacklog({ state, stages, added, orphaned }: BacklogOptions): Backlog {
  let queues = newQueues(stages)
  /** Being tried. They are few, and come and go with each event: an array, unlike a Map, has no tables to outgrow. */
  const taken: Owed[] = []
  /** Of these, the stages under the config of now, where that is no longer the one they were taken under. */
  const restaged = new Map<Owed, { readonly stage: number; readonly behind: number }>()
  /** In a queue, or taken from one and being tried. */
  let untriedInMemory = 0
  let failedInMemory = 0
  /** Never-tried ones may be on disk; then those that come go there too, and each has its turn. */
  let untriedOnDisk = state.owedCount() > 0
  /** Refills so far, and the one before which a never-tried one was parked last. */
  let refills = 0
  let parkedAt = -1

  const count = ({ attempts }: Owed, by: 1 | -1): void => {
    if (attempts === 0) untriedInMemory += by
    else failedInMemory += by
  }
  const enqueue = (owed: Owed): void => {
    const queue = queues[owed.stage]
    if (queue === undefined) {
      state.settle(owed)
      orphaned(1)
      return
    }
    count(owed, 1)
    queue.push(owed)
    added(owed.stage)
  }
  const release = (owed: Owed): void => {
    const last = taken.pop() as Owed
    if (last !== owed) taken[taken.indexOf(owed)] = last
    restaged.delete(owed)
    count(owed, -1)
  }
  const parkedCount = (): number => state.owedCount() - untriedInMemory - failedInMemory
  const mustPark = (attempts: number): boolean => {
    if (attempts > 0) return failedInMemory >= FAILED_IN_MEMORY
    untriedOnDisk &&= parkedCount() > 0
    if (!untriedOnDisk && untriedInMemory + failedInMemory < IN_MEMORY) return false
    untriedOnDisk = true
    parkedAt = refills
    return true
  }

  return {
    add({ key, committed, committedAt, stage, attempts, dueAt }) {
      const parked = mustPark(attempts)
      const owed = { key, committed, committedAt, stage, attempts, dueAt, parked }
      state.owe(owed)
      if (!parked) enqueue(owed)
    },
    putBack(before, change) {
      release(before)
      const owed = { ...before, ...change, parked: mustPark(change.attempts) }
      state.change(owed)
      if (!owed.parked) enqueue(owed)
    },
    load: enqueue,
    take(stage, now, untriedOnly) {
      const owed = queues[stage]?.take(now, untriedOnly)
      if (owed !== undefined) taken.push(owed)
      return owed
    },
    settle(owed) {
      release(owed)
      state.settle(owed)
    },
    stageOf: (owed) => restaged.get(owed)?.stage ?? owed.stage,
    stageBehind: (owed) => restaged.get(owed)?.behind ?? owed.stage + 1,
    dueAt: (stage, untriedOnly) => queues[stage]?.dueAt(untriedOnly),
    isPartlyOnDisk: () => parkedCount() > 0,
    restage(stageCount, stageAfter) {
      const waiting = queues.flatMap((queue) => queue.all())
      queues = newQueues(stageCount)
      for (const owed of waiting) count(owed, -1)
      const parkedOrphans = state.restageParked(stageAfter)
      if (parkedOrphans > 0) orphaned(parkedOrphans)
      for (const owed of taken) {
        const now = restaged.get(owed)
        const stage = stageAfter(now?.stage ?? owed.stage)
        restaged.set(owed, { stage, behind: stageAfter(now?.behind ?? owed.stage + 1) })
        if (stage < stageCount) state.change({ ...owed, stage })
      }
      for (const before of waiting) {
        const owed = { ...before, stage: stageAfter(before.stage) }
        if (owed.stage < stageCount && owed.stage !== before.stage) state.change(owed)
        enqueue(owed)
      }
    },
    refill() {
      refills++
      if (parkedCount() === 0) {
        untriedOnDisk = false
        return
      }
      const rooms = roomFor(untriedInMemory, failedInMemory)
      const found = rooms.some((room) => room > 0) ? state.unpark(rooms) : undefined
      if (found === undefined) return
      // What was parked since the flush before the last is not in the table that was looked at.
      const untried = found.filter(({ attempts }) => attempts === 0).length
      if (untried < (rooms[0] ?? 0) && parkedAt < refills - 1) untriedOnDisk = false
      for (const owed of found) enqueue(owed)
    },
    park() {
      for (const owed of queues.flatMap((queue) => queue.all())) state.change({ ...owed, parked: true })
      for (const owed of taken) {
        const stage = this.stageOf(owed)
        if (stage < queues.length) state.change({ ...owed, stage, parked: true })
      }
    },
  }
}

const newQueues = (stages: number) => Array.from({ length: stages }, () => new AckQueue())

/** How many of each level are taken into memory: none while half of its share is there. */
function roomFor(untried: number, failed: number): readonly number[] {
  const share = IN_MEMORY - FAILED_IN_MEMORY
  const room = (there: number, all: number): number => (there > all / 2 ? 0 : all - there)
  const ofFailed = Math.floor(room(failed, FAILED_IN_MEMORY) / (LEVELS - 1))
  return Array.from({ length: LEVELS }, (_, level) => (level === 0 ? room(untried, share) : ofFailed))
}
