import { HeadgateError } from '../../../../contract/errors.js'
import type { LocatedTarget } from '../../../../contract/index.js'
import type { Health } from './health.js'
import type { Session } from './session.js'

/** A wait that can be cut short. */
export class Alarm {
  #ring = (): void => {}

  /** Resolves after so many milliseconds, or when the alarm rings. */
  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#ring = () => {}
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      this.#ring = done
    })
  }

  ring(): void {
    this.#ring()
  }
}

/** All in milliseconds. */
const CHECK_TIMEOUT = 2000
const UNREACHABLE_PAUSE = 1000
const TOPICS_PAUSE = 5000
/** Between two checks of a healthy session: short enough to see that confirmations have stopped. */
const WATCH = 2000
const STALLED = 5000
/** Records can fail by the thousand; the cluster is asked no more often than this. */
const SUSPICION_PAUSE = 250

export interface WatchOptions {
  readonly health: Health
  readonly alarm: Alarm
  /** The targets of all users of the session. */
  targets(): readonly LocatedTarget[]
  /** The session has ended: stops watching it. */
  ended(): boolean
  /**
   * Tells the number of partitions of the topics of these targets. Returns true if each user of the session has the targets
   * that it needs, false if one lacks something.
   */
  answered(asked: readonly LocatedTarget[], partitions: ReadonlyMap<string, number>): boolean
  /** Health is up to date. */
  examined(): void
}

/** Checks a session again and again: whether the cluster responds, has the targets, and confirms records. */
export class Watch {
  readonly #options: WatchOptions
  #suspicious = false
  /** At the last check every user of the session had its targets. */
  #complete = false
  #reachableSince = 0

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Keeps health up to date for as long as the session lasts. */
  async over(session: Session): Promise<void> {
    const { alarm, ended, examined } = this.#options
    while (!ended()) {
      this.#suspicious = false
      const pause = await this.#examine(session)
      if (ended()) return
      examined()
      await alarm.wait(pause)
      while (this.#isReady() && this.#complete && !this.#suspicious && this.#silenceOf(session) < STALLED)
        await alarm.wait(WATCH)
    }
  }

  /** Checks the session soon, because something may be wrong with it. */
  readonly suspect = (): void => {
    // While a topic is missing, all of them are asked for every few seconds.
    if (!this.#isReady() || !this.#complete || this.#suspicious) return
    this.check()
  }

  /** The session has a new user: its targets have not been checked yet. */
  check(): void {
    this.#suspicious = true
    this.#options.alarm.ring()
  }

  /** Asks the cluster for all targets. Returns the milliseconds until the next question. */
  async #examine(session: Session): Promise<number> {
    const { health, targets, ended, answered } = this.#options
    const asked = targets()
    let partitions: ReadonlyMap<string, number>
    try {
      partitions = await askForPartitions(session, asked, CHECK_TIMEOUT)
    } catch (thrown) {
      if (!ended()) health.unreachable(thrown)
      return UNREACHABLE_PAUSE
    }
    if (ended()) return 0
    if (health.condition === 'unreachable') this.#reachableSince = performance.now()
    const silence = this.#silenceOf(session)
    if (silence >= STALLED) health.stalled(session.inFlight(), silence)
    else health.ready()
    this.#complete = answered(asked, partitions)
    if (silence >= STALLED) return UNREACHABLE_PAUSE
    return this.#complete || this.#suspicious ? SUSPICION_PAUSE : TOPICS_PAUSE
  }

  #isReady(): boolean {
    return this.#options.health.condition === 'ready'
  }

  /** Time without a confirmation while Kafka was reachable: an outage does not count. */
  #silenceOf(session: Session): number {
    return Math.min(session.stalledFor(), performance.now() - this.#reachableSince)
  }
}

/** A target that the cluster does not have, in one sentence that names its lines in the config. */
export interface TopologyProblem {
  readonly code: 'HG_KAFKA_TOPIC_MISSING' | 'HG_KAFKA_PARTITION_MISSING'
  readonly message: string
}

/**
 * Asks the cluster for the number of partitions of the topic of each target; 0 if there is no such topic. `timeout`:
 * milliseconds for each response. Rejects if there is none.
 */
export async function askForPartitions(
  session: Pick<Session, 'ping' | 'partitions'>,
  targets: readonly LocatedTarget[],
  timeout: number,
): Promise<ReadonlyMap<string, number>> {
  const partitions = new Map<string, number>()
  const topics = topicsOf(targets)
  if (topics.length === 0) await session.ping(timeout)
  for (const topic of topics) partitions.set(topic, await session.partitions(topic, timeout))
  return partitions
}

/** All problems in one error. If a partition is missing, the config cannot be right. */
export function impossibleTargets(problems: readonly TopologyProblem[]): HeadgateError {
  const code = problems.some(({ code }) => code === 'HG_KAFKA_PARTITION_MISSING')
    ? 'HG_KAFKA_PARTITION_MISSING'
    : 'HG_KAFKA_TOPIC_MISSING'
  return new HeadgateError(code, problems.map(({ message }) => message).join(' '))
}

/** Compares targets with the number of partitions of each of their topics; 0 if there is no such topic. */
export function topologyProblems(
  targets: readonly LocatedTarget[],
  partitions: ReadonlyMap<string, number>,
): TopologyProblem[] {
  const problems: TopologyProblem[] = []
  for (const topic of topicsOf(targets)) {
    const count = partitions.get(topic) ?? 0
    const onTopic = targets.filter(({ target }) => target.topic === topic)
    if (count === 0) {
      const message = `Topic "${topic}" does not exist${locationsOf(onTopic)}.`
      problems.push({ code: 'HG_KAFKA_TOPIC_MISSING', message })
      continue
    }
    const beyond = onTopic.filter(({ target }) => target.partition !== undefined && target.partition >= count)
    for (const partition of new Set(beyond.map(({ target }) => target.partition))) {
      const locations = locationsOf(beyond.filter(({ target }) => target.partition === partition))
      const found = count === 1 ? 'it has one partition, 0' : `its ${count} partitions are 0 to ${count - 1}`
      const message = `Topic "${topic}" has no partition ${partition}${locations}: ${found}.`
      problems.push({ code: 'HG_KAFKA_PARTITION_MISSING', message })
    }
  }
  return problems
}

const topicsOf = (targets: readonly LocatedTarget[]): string[] => [
  ...new Set(targets.map(({ target }) => target.topic)),
]

const locationsOf = (targets: readonly LocatedTarget[]): string =>
  ` (${[...new Set(targets.map(({ location }) => location))].join(', ')})`
