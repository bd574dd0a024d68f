import { asHeadgateError, HeadgateError } from '../../../contract/errors.js'
import type { Log } from '../../../contract/index.js'
import { createAlarm } from './alarm.js'
import { createHealth, type HealthOptions } from './health.js'
import type { Breakage, Session, SessionEvents } from './session.js'
import {
  createSinkConnection,
  type SessionUser,
  type SharedSession,
  type SinkConnection,
} from './sink-connection.js'
import { askForPartitions, topologyProblems } from './topology.js'
import { createWatch } from './watch.js'

/** All in milliseconds. */
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
  /** For one more pipeline, whose log it is. The session is opened when the first of them is started. */
  connection(log: Log): SinkConnection
  outstanding(): number
  stop(): Promise<void>
}

/** Keeps one session with Kafka going: connects, replaces a broken one, and knows whether records can be sent now. */
export function createSupervisor({ signal, open, ...options }: SupervisorOptions): Supervisor {
  const health = createHealth(options)
  const alarm = createAlarm()
  const users = new Set<SessionUser>()
  let session: Session | undefined
  /** Why the session cannot be used any more. */
  let breakage: Breakage | undefined
  /** Since a record was last delivered: a session that breaks each time is not opened anew without end. */
  let breakages = 0
  let running: Promise<void> | undefined
  let replacing: Promise<void> | undefined
  /** While a replacement waits: told that the new session has been looked at, or that there is none. */
  let replaced = (): void => {}

  const ready = (): boolean => health.condition() === 'ready'
  const stopped = (): boolean => health.condition() === 'stopped'
  const why = (): Breakage | undefined => breakage
  const ended = (): boolean => breakage !== undefined || stopped()

  const watch = createWatch({
    health,
    alarm,
    targets: () => [...users].flatMap((user) => user.targets()),
    ended,
    answered(asked, partitions) {
      const all = new Set(asked)
      let complete = true
      for (const user of users) {
        const targets = user.targets()
        // One that came while the cluster was asked is asked for next.
        complete =
          targets.every((target) => all.has(target)) && user.examined(targets, partitions) && complete
      }
      return complete
    },
    examined: () => replaced(),
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
    batchesLimited(topic, bytes) {
      const message = `max.message.bytes of topic "${topic}" is smaller than a batch; batches of it have at most ${bytes} bytes from now on. Set "batch.size" of the sink below max.message.bytes.`
      options.log.warn({ topic, bytes }, message)
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
      if (error.code === 'HG_CONFIG_VALUE') for (const user of users) user.refused(error)
      if (!stopped()) health.unreachable(error)
      replaced()
      return undefined
    }
  }

  const unavailable = (): HeadgateError =>
    new HeadgateError('HG_KAFKA_UNAVAILABLE', health.reasons()[0] ?? 'Kafka is not connected.')

  const shared: SharedSession = {
    ready: () => (ready() ? session : undefined),
    live: () => (ended() ? undefined : session),
    isRunning: () => running !== undefined && !stopped(),
    reasons: health.reasons,
    unavailable,
    join(user) {
      users.add(user)
      running ??= run()
      watch.look()
    },
    leave: (user) => void users.delete(user),
    async check(targets) {
      if (session === undefined || ended()) throw unavailable()
      return topologyProblems(targets, await askForPartitions(session, targets, CHECK_TIMEOUT))
    },
    replace(given) {
      replacing ??= new Promise<void>((resolve) => {
        replaced = () => {
          replacing = undefined
          replaced = () => {}
          resolve()
        }
      })
      // A session that is just being opened, or is at its end already, has nothing that could be given up.
      if (given !== undefined && given === session && !ended())
        giveUp({ code: 'HG_KAFKA_NOT_DELIVERED', why: 'it is unknown which of its records Kafka has' })
      return replacing
    },
  }

  return {
    connection: (log) => createSinkConnection(shared, log),
    outstanding: () => session?.outstanding() ?? 0,
    async stop() {
      health.stopped()
      replaced()
      alarm.ring()
      await running
    },
  }
}
