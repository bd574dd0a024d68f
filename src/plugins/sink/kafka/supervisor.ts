import { asHeadgateError, HeadgateError } from '../../../errors.js'
import type { PlacedTarget, Receipt, SinkRecord } from '../../../plugin.js'
import { createAlarm } from './alarm.js'
import { createHealth, type HealthOptions } from './health.js'
import type { Breakage, Session, SessionEvents } from './session.js'
import { askForTargets, impossibleTargets, type TopologyProblem } from './topology.js'
import { createWatch } from './watch.js'

/** All in milliseconds. */
const GRACE = 3000
const CHECK_TIMEOUT = 2000
const FIRST_CONNECT = 1000
const LONGEST_CONNECT = 5000
const RECONNECT_PAUSE = 500
const LONGEST_PAUSE = 30_000

export interface SupervisorOptions extends HealthOptions {
  readonly signal: AbortSignal
  open(events: Omit<SessionEvents, 'log' | 'statistics'>, timeout: number): Promise<Session>
}

export interface Supervisor {
  /** Called before `start`. */
  expect(targets: readonly PlacedTarget[]): void
  /**
   * Resolves when Kafka has answered for the first time, or after a short grace; from then on problems are reasons of
   * `notReady`. Rejects where Kafka shows that the config cannot be right.
   */
  start(): Promise<void>
  notReady(): readonly string[]
  /** Asks the cluster for other targets than those expected. Rejects where it lacks some, or does not answer. */
  check(targets: readonly PlacedTarget[]): Promise<void>
  send(record: SinkRecord): Promise<Receipt>
  /**
   * Gives up the session with all that is outstanding in it. Resolves when it is gone and a new one takes records; rejects
   * where that does not succeed at once, and may be tried again. Calls at the same time share one new session.
   */
  fence(): Promise<void>
  outstanding(): number
  stop(): Promise<void>
}

/** Keeps one session with Kafka going: connects, replaces a broken one, and knows whether records can be sent now. */
export function createSupervisor({ signal, open, ...options }: SupervisorOptions): Supervisor {
  const health = createHealth(options)
  const alarm = createAlarm()
  let targets: readonly PlacedTarget[] = []
  let session: Session | undefined
  /** Why the session cannot be used any more. */
  let breakage: Breakage | undefined
  /** Since a record was last delivered: a session that breaks each time is not opened anew without end. */
  let breakages = 0
  let running: Promise<void> | undefined
  let fencing: Promise<void> | undefined
  /** While a fence waits: told that the new session has been looked at, or that there is none. */
  let fenceAnswered = (): void => {}
  /** While `start` waits: told the first answer of the cluster; says whether that ends it all. */
  let firstAnswer = (_problems: readonly TopologyProblem[]): boolean => false
  let refused = (_error: HeadgateError): void => {}

  const ready = (): boolean => health.condition() === 'ready'
  const stopped = (): boolean => health.condition() === 'stopped'
  const why = (): Breakage | undefined => breakage
  const ended = (): boolean => breakage !== undefined || stopped()

  const watch = createWatch({
    health,
    alarm,
    targets: () => targets,
    ended,
    answered: (problems) => firstAnswer(problems),
    examined: () => fenceAnswered(),
  })

  const events: Omit<SessionEvents, 'log' | 'statistics'> = {
    disconnected: watch.suspect,
    delivered: () => {
      breakages = 0
      // The first report after an outage proves its end.
      if (!ready()) alarm.ring()
    },
    failed({ remedy }) {
      if (remedy === 'replace') events.broken('a record failed with a fatal error')
      else if (remedy === 'check') watch.suspect()
    },
    broken(reason) {
      if (ended()) return
      breakages++
      giveUp({ code: 'HG_KAFKA_FATAL', why: `the session broke: ${reason}` })
    },
  }

  function giveUp(given: Breakage): void {
    breakage = given
    health.broken(given)
    alarm.ring()
  }

  async function run(): Promise<void> {
    let attempt = 0
    while (!stopped()) {
      breakage = undefined
      session = await connect(attempt++)
      if (session !== undefined) {
        attempt = 0
        await watch.over(session)
        const given = why()
        await (given === undefined ? session.close(signal) : session.abandon(given))
        session = undefined
        // A session that did not break is replaced at once: who asked for that waits.
        if (given?.code === 'HG_KAFKA_NOT_DELIVERED') continue
      }
      if (!stopped()) await alarm.wait(Math.min(RECONNECT_PAUSE * 2 ** breakages, LONGEST_PAUSE))
    }
  }

  async function connect(attempt: number): Promise<Session | undefined> {
    try {
      return await open(events, Math.min(FIRST_CONNECT * 2 ** attempt, LONGEST_CONNECT))
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The Kafka client')
      if (error.code === 'HG_CONFIG_VALUE') refused(error)
      if (!stopped()) health.unreachable(error)
      fenceAnswered()
      return undefined
    }
  }

  const unavailable = (): HeadgateError =>
    new HeadgateError('HG_KAFKA_UNAVAILABLE', health.reasons()[0] ?? 'Kafka is not connected.')

  async function stop(): Promise<void> {
    health.stopped()
    fenceAnswered()
    alarm.ring()
    await running
  }

  return {
    expect(expected) {
      targets = expected
    },
    async start() {
      let grace: NodeJS.Timeout | undefined
      const answered = new Promise<void>((resolve, reject) => {
        firstAnswer = (problems) => {
          const impossible = problems.some(({ code }) => code === 'HG_KAFKA_PARTITION_MISSING')
          if (impossible) reject(impossibleTargets(problems))
          else resolve()
          return impossible
        }
        refused = reject
        grace = setTimeout(resolve, GRACE)
      })
      running = run()
      try {
        await answered
      } catch (error) {
        await stop()
        throw error
      } finally {
        clearTimeout(grace)
        firstAnswer = () => false
        refused = () => {}
      }
    },
    notReady: health.reasons,
    async check(others) {
      if (session === undefined || ended()) throw unavailable()
      const problems = await askForTargets(session, others, CHECK_TIMEOUT)
      if (problems.length > 0) throw impossibleTargets(problems)
    },
    send(record) {
      if (session !== undefined && ready()) return session.send(record)
      return Promise.reject(unavailable())
    },
    fence() {
      if (stopped() || running === undefined) return Promise.reject(unavailable())
      if (fencing !== undefined) return fencing
      const fence = new Promise<void>((resolve, reject) => {
        fenceAnswered = () => {
          fencing = undefined
          fenceAnswered = () => {}
          if (ready()) resolve()
          else reject(unavailable())
        }
      })
      fencing = fence
      // A session that is just being opened, or is at its end already, has nothing that could be given up.
      if (session !== undefined && !ended()) {
        giveUp({ code: 'HG_KAFKA_NOT_DELIVERED', why: 'it is unknown which of its records Kafka has' })
      }
      return fence
    },
    outstanding: () => session?.outstanding() ?? 0,
    stop,
  }
}
