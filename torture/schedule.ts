import { type Random, seeded } from '../src/sandbox/events.js'

/** All times in seconds. `pause` is the time since the end of the fault before it in the same row. */
interface Timed {
  readonly pause: number
}

export interface HeadgateFault extends Timed {
  readonly signal: 'SIGKILL' | 'SIGTERM'
  /** Its downtime. */
  readonly down: number
  /** True if its state directory is removed meanwhile. */
  readonly wiped: boolean
  /** Killed once more at that time after its restart, which is before or just after it is ready. */
  readonly killedAgainAfter: number | undefined
}

export interface BrokerFault extends Timed {
  readonly kind: 'killed' | 'frozen'
  /** Index of the broker. */
  readonly broker: number
  readonly lasts: number
}

export interface CxoneFault extends Timed {
  readonly kind: 'throttled' | 'unavailable' | 'reset' | 'revoked'
  readonly lasts: number
}

/** One of Headgate's workers is killed, if it has any. */
interface WorkerFault extends Timed {
  /** Which of them: a number of any size, to be taken modulo how many there are. */
  readonly worker: number
}

/** Another config that writes the same records; a running Headgate reloads it. */
export interface ConfigChange extends Timed {
  /** Source, sink and post-commit stage, in any combination: a bit for each. */
  readonly stages: number
}

/**
 * Endless rows of faults, which run in parallel: within a row, one at a time. The same seed gives the same rows, and
 * each row is independent of the others.
 */
interface Schedule {
  readonly headgate: Iterable<HeadgateFault>
  readonly broker: Iterable<BrokerFault>
  readonly cxone: Iterable<CxoneFault>
  readonly config: Iterable<ConfigChange>
  readonly workers: Iterable<WorkerFault>
  /** The length of the quiet period, without new faults, at a moment of the run; 0 if there is none. */
  quietFor(now: number): number
}

const BROKERS = 3

export const schedule = (seed: number): Schedule => ({
  headgate: headgateFaults(rowOf(seed, 1)),
  broker: brokerFaults(rowOf(seed, 2)),
  cxone: cxoneFaults(rowOf(seed, 3)),
  config: configChanges(rowOf(seed, 5)),
  workers: workerFaults(rowOf(seed, 6)),
  quietFor(now) {
    for (const { from, to } of quietPeriods(rowOf(seed, 4))) {
      if (now < to) return now < from ? 0 : to - now
    }
    return 0
  },
})

const rowOf = (seed: number, row: number): Random => seeded(Math.imul(seed, 5) + row)

function* headgateFaults(random: Random): Generator<HeadgateFault> {
  const kill = { signal: 'SIGKILL', wiped: false, again: false } as const
  const stop = { signal: 'SIGTERM', wiped: false, again: false } as const
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

function* brokerFaults(random: Random): Generator<BrokerFault> {
  for (const kind of shuffled(random, ['killed', 'frozen'] as const)) {
    yield { kind, pause: between(random, 2, 8), broker: random.below(BROKERS), lasts: between(random, 1, 9) }
  }
}

function* cxoneFaults(random: Random): Generator<CxoneFault> {
  for (const kind of shuffled(random, ['throttled', 'unavailable', 'reset', 'revoked'] as const)) {
    yield { kind, pause: between(random, 1, 6), lasts: kind === 'revoked' ? 0 : between(random, 1, 6) }
  }
}

function* configChanges(random: Random): Generator<ConfigChange> {
  for (const stages of shuffled(random, [1, 2, 3, 4, 5, 6, 7])) {
    yield { stages, pause: between(random, 1, 4) }
  }
}

function* workerFaults(random: Random): Generator<WorkerFault> {
  for (;;) yield { worker: random.below(1000), pause: between(random, 1, 6) }
}

function* quietPeriods(random: Random): Generator<{ from: number; to: number }> {
  for (let from = between(random, 15, 35); ; ) {
    const to = from + between(random, 5, 10)
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
