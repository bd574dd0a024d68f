import type { PlacedTarget } from '../../../contract/index.js'
import type { Alarm } from './alarm.js'
import type { Health } from './health.js'
import type { Session } from './session.js'
import { askForPartitions } from './topology.js'

/** All in milliseconds. */
const CHECK_TIMEOUT = 2000
const UNREACHABLE_PAUSE = 1000
const TOPICS_PAUSE = 5000
/** Between two looks at a healthy session: short enough to see that confirmations have stopped. */
const WATCH = 2000
const STALLED = 5000
/** Records can fail by the thousand; the cluster is asked no more often than this. */
const SUSPICION_PAUSE = 250

export interface WatchOptions {
  readonly health: Health
  readonly alarm: Alarm
  /** Of all that use the session. */
  targets(): readonly PlacedTarget[]
  /** The session is at its end: there is nothing left to watch. */
  ended(): boolean
  /**
   * How many partitions the topics of these targets have. Returns true if each user of the session has what it needs,
   * false if one lacks something.
   */
  answered(asked: readonly PlacedTarget[], partitions: ReadonlyMap<string, number>): boolean
  /** Health is up to date. */
  examined(): void
}

export interface Watch {
  /** Keeps health up to date for as long as the session lasts. */
  over(session: Session): Promise<void>
  /** Something may be wrong with a healthy session: look soon. */
  suspect(): void
  /** The session has a new user, whose targets have not been asked for. */
  look(): void
}

/** Looks at a session again and again: whether the cluster answers, has the targets, and confirms records. */
export function createWatch({ health, alarm, targets, ended, answered, examined }: WatchOptions): Watch {
  let suspicious = false
  /** At the last look every user of the session had its targets. */
  let complete = false
  let reachableSince = 0

  const ready = (): boolean => health.condition() === 'ready'
  /** How long Kafka has confirmed nothing although it could: an outage does not count. */
  const silenceOf = (session: Session): number =>
    Math.min(session.stalledFor(), performance.now() - reachableSince)

  /** Asks the cluster for all targets, and says how long its answer may stand. */
  async function examine(session: Session): Promise<number> {
    const asked = targets()
    let partitions: ReadonlyMap<string, number>
    try {
      partitions = await askForPartitions(session, asked, CHECK_TIMEOUT)
    } catch (thrown) {
      if (!ended()) health.unreachable(thrown)
      return UNREACHABLE_PAUSE
    }
    if (ended()) return 0
    if (health.condition() === 'unreachable') reachableSince = performance.now()
    const silence = silenceOf(session)
    if (silence >= STALLED) health.stalled(session.outstanding(), silence)
    else health.ready()
    complete = answered(asked, partitions)
    if (silence >= STALLED) return UNREACHABLE_PAUSE
    return complete || suspicious ? SUSPICION_PAUSE : TOPICS_PAUSE
  }

  return {
    async over(session) {
      while (!ended()) {
        suspicious = false
        const rest = await examine(session)
        if (ended()) return
        examined()
        await alarm.wait(rest)
        while (ready() && complete && !suspicious && silenceOf(session) < STALLED) await alarm.wait(WATCH)
      }
    },
    suspect() {
      // While a topic is missing, all of them are asked for every few seconds.
      if (!ready() || !complete || suspicious) return
      suspicious = true
      alarm.ring()
    },
    look() {
      suspicious = true
      alarm.ring()
    },
  }
}
