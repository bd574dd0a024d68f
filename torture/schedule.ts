import { type Random, seeded } from '../src/sandbox/events.js'

/** All times in seconds. `pause` is the time since the end of the fault before it in the same row. */
interface Timed {
  readonly pause: number
}

export type HeadgateFault = Interruption | Freeze

export interface Interruption extends Timed {
  readonly signal: 'SIGKILL' | 'SIGTERM'
  /** Its downtime. */
  readonly down: number
  /** True if its state directory is removed meanwhile. */
  readonly wiped: boolean
  /** Killed once more at that time after its restart, which is before or just after it is ready. */
  readonly killedAgainAfter: number | undefined
}

/** Frozen, shorter than the session in its group or longer. */
interface Freeze extends Timed {
  readonly signal: 'SIGSTOP'
  readonly lasts: number
}

/** One more instance joins the others, and leaves. */
export interface Visit extends Timed {
  readonly lasts: number
  readonly signal: 'SIGKILL' | 'SIGTERM'
}

export interface BrokerFault extends Timed {
  readonly kind: 'killed' | 'frozen'
  /** Index of the broker; undefined for the coordinator of the group. */
  readonly broker: number | undefined
  readonly lasts: number
}

export interface CxoneFault extends Timed {
  readonly kind: 'throttled' | 'unavailable' | 'reset' | 'revoked'
  readonly lasts: number
}

/** One of Headgate's workers is killed, if it has any. */
export interface WorkerFault extends Timed {
  /** Which of them: a number of any size, to be taken modulo how many there are. */
  readonly worker: number
}

/** Another config that writes the same records; a running Headgate reloads it. */
export interface ConfigChange extends Timed {
  /** Of several instances, the one that gets it: a number of any size, to be taken modulo how many there are. */
  readonly instance: number
  /** Source, sink and post-commit stage, in any combination: a bit for each. */
  readonly stages: number
}

/**
 * Endless rows of faults, which run in parallel: within a row, one at a time. The same seed gives the same rows, and
 * each row is independent of the others.
 */
export interface Schedule {
  /** One without an inbox. */
  readonly headgate: Iterable<Interruption>
  /** One of several, by its index. */
  instance(index: number): Iterable<HeadgateFault>
  /** All of several, one after the other. */
  readonly rolling: Iterable<Timed>
  readonly visits: Iterable<Visit>
  readonly broker: Iterable<BrokerFault>
  readonly cxone: Iterable<CxoneFault>
  readonly config: Iterable<ConfigChange>
  readonly workers: Iterable<WorkerFault>
  /** The length of the quiet period, without new faults, at a moment of the run; 0 if there is none. */
  quietFor(now: number): number
}

const BROKERS = 3

/** `isShared`: several instances share an inbox. */
export const schedule = (seed: number, isShared = false): Schedule => ({
  headgate: headgateFaults(rowOf(seed, 1)),
  instance: (index) => instanceFaults(rowOf(seed, 100 + index)),
  rolling: rollingRestarts(rowOf(seed, 7)),
  visits: visits(rowOf(seed, 8)),
  broker: brokerFaults(rowOf(seed, 2), isShared),
  cxone: cxoneFaults(rowOf(seed, 3)),
  config: configChanges(rowOf(seed, 5)),
  workers: workerFaults(rowOf(seed, 6)),
  quietFor(now) {
    for (const { from, to } of quietPeriods(rowOf(seed, 4), isShared)) {
      if (now < to) return now < from ? 0 : to - now
    }
    return 0
  },
})

const rowOf = (seed: number, row: number): Random => seeded(Math.imul(seed, 5) + row)

const kill = { signal: 'SIGKILL', wiped: false, again: false } as const
const stop = { signal: 'SIGTERM', wiped: false, again: false } as const

function* headgateFaults(random: Random): Generator<Interruption> {
  const cards = [
    ...[kill, kill, stop],
    ...[
      { ...kill, wiped: true },
      { ...stop, wiped: true },
      { ...kill, again: true },
    ],
  ]
  for (const { again, ...card } of shuffled(random, cards)) {
    yield {
      ...card,
      pause: between(random, 2, 7),
      down: between(random, 0, 2),
      killedAgainAfter: again ? between(random, 0.2, 2) : undefined,
    }
  }
}

/** Longer pauses than for one alone: a group needs time to get on at all. */
function* instanceFaults(random: Random): Generator<HeadgateFault> {
  const cards = [kill, stop, { ...kill, wiped: true }, { ...kill, again: true }, 'short', 'long'] as const
  for (const card of shuffled(random, cards)) {
    const pause = between(random, 6, 20)
    if (typeof card === 'string') {
      const lasts = card === 'short' ? between(random, 1, 8) : between(random, 16, 25)
      yield { signal: 'SIGSTOP', pause, lasts }
      continue
    }
    const { again, ...more } = card
    const killedAgainAfter = again ? between(random, 0.2, 2) : undefined
    yield { ...more, pause, down: between(random, 0, 3), killedAgainAfter }
  }
}

function* rollingRestarts(random: Random): Generator<Timed> {
  for (;;) yield { pause: between(random, 15, 45) }
}

function* visits(random: Random): Generator<Visit> {
  for (const signal of shuffled(random, ['SIGTERM', 'SIGTERM', 'SIGKILL'] as const))
    yield { signal, pause: between(random, 0, 10), lasts: between(random, 0, 6) }
}

function* brokerFaults(random: Random, isShared: boolean): Generator<BrokerFault> {
  const cards = [
    ...(['killed', 'frozen'] as const).map((kind) => ({ kind, isCoordinator: false })),
    ...(isShared ? (['killed', 'frozen'] as const).map((kind) => ({ kind, isCoordinator: true })) : []),
  ]
  for (const { kind, isCoordinator } of shuffled(random, cards)) {
    const [pause, any, lasts] = [between(random, 2, 8), random.below(BROKERS), between(random, 1, 9)]
    yield { kind, pause, broker: isCoordinator ? undefined : any, lasts }
  }
}

function* cxoneFaults(random: Random): Generator<CxoneFault> {
  for (const kind of shuffled(random, ['throttled', 'unavailable', 'reset', 'revoked'] as const)) {
    yield { kind, pause: between(random, 1, 6), lasts: kind === 'revoked' ? 0 : between(random, 1, 6) }
  }
}

function* configChanges(random: Random): Generator<ConfigChange> {
  for (const stages of shuffled(random, [1, 2, 3, 4, 5, 6, 7])) {
    yield { stages, pause: between(random, 1, 4), instance: random.below(1000) }
  }
}

function* workerFaults(random: Random): Generator<WorkerFault> {
  for (;;) yield { worker: random.below(1000), pause: between(random, 1, 6) }
}

/**
 * Longer ones for several: a group waits 15 s for a member that died. Without such a period, instances died before they had a
 * partition, nothing was worked off in 20 minutes, and no fault met a transaction.
 */
function* quietPeriods(random: Random, isShared: boolean): Generator<{ from: number; to: number }> {
  const [shortest, longest] = isShared ? [20, 30] : [5, 10]
  for (let from = between(random, 15, 35); ; ) {
    const to = from + between(random, shortest, longest)
    yield { from, to }
    from = to + between(random, 15, 35)
  }
}

/** All of them, in a new order every time: even a short run has some of each. */
function* shuffled<Card>(random: Random, cards: readonly Card[]): Generator<Card> {
  for (;;) {
    const left = [...cards]
    while (left.length > 0) yield* left.splice(random.below(left.length), 1)
  }
}

const between = (random: Random, from: number, to: number): number =>
  (from * 1000 + random.below((to - from) * 1000)) / 1000

/** One fault of the system. Times in milliseconds since 1970. */
export interface LoggedFault {
  readonly at: number
  /** Its kind, for counting. */
  readonly kind: string
  /** With its details, for people. */
  readonly what: string
  /** Undefined while it lasts. */
  readonly until: number | undefined
}

export interface FaultLog {
  readonly entries: readonly LoggedFault[]
  /** Notes a fault for as long as `task` takes. */
  during<Result>(kind: string, what: string, task: () => Promise<Result>): Promise<Result>
}

export function createFaultLog(): FaultLog {
  const entries: { at: number; kind: string; what: string; until: number | undefined }[] = []
  return {
    entries,
    async during(kind, what, task) {
      const entry = { at: Date.now(), kind, what, until: undefined as number | undefined }
      entries.push(entry)
      try {
        return await task()
      } finally {
        entry.until = Date.now()
      }
    },
  }
}

/** The faults that were active at any time from `from` to `to`. */
export const faultsAround = (faults: readonly LoggedFault[], from: number, to: number): LoggedFault[] =>
  faults.filter(({ at, until = Number.POSITIVE_INFINITY }) => at <= to && until >= from)
