import { asHeadgateError, HeadgateError } from '../../../../contract/errors.js'
import type { LocatedTarget, Log } from '../../../../contract/index.js'
import { type SessionUser, type SharedSession, SinkConnection } from '../sink-connection.js'
import { Health, type HealthOptions } from './health.js'
import type { Breakage, Session, SessionEvents } from './session.js'
import { Alarm, askForPartitions, type TopologyProblem, topologyProblems, Watch } from './watch.js'

/** All in milliseconds. */
const CHECK_TIMEOUT = 2000
const FIRST_CONNECT = 1000
const LONGEST_CONNECT = 5000
const RECONNECT_PAUSE = 500
const LONGEST_PAUSE = 30_000

type SupervisedEvents = Omit<SessionEvents, 'log' | 'statistics'>

export interface SupervisorOptions extends HealthOptions {
  readonly signal: AbortSignal
  open(events: SupervisedEvents, timeout: number): Promise<Session>
}

/**
 * Keeps one session with Kafka open: connects, replaces a broken session, and knows whether it can send records now.
 */
export class Supervisor implements SharedSession {
  readonly #options: SupervisorOptions
  readonly #health: Health
  readonly #alarm = new Alarm()
  readonly #watch: Watch
  readonly #users = new Set<SessionUser>()
  #session: Session | undefined
  /** The reason why the session is unusable. */
  #breakage: Breakage | undefined
  /** Since a record was last delivered: a session that breaks each time is not reopened without end. */
  #breakages = 0
  #running: Promise<void> | undefined
  /** Resolves when the session that replaces the present one has been examined, or if there is none yet. */
  #replacement: PromiseWithResolve | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#health = new Health(options)
    this.#watch = new Watch({
      health: this.#health,
      alarm: this.#alarm,
      targets: () => [...this.#users].flatMap((user) => user.targets()),
      ended: () => this.#isEnded(),
      answered: (asked, partitions) => this.#answered(asked, partitions),
      examined: () => this.#replaced(),
    })
  }

  /** For one more pipeline, whose log it is. The session is opened when the first of them is started. */
  connection(log: Log): SinkConnection {
    return new SinkConnection(this, log)
  }

  /** How many records are in flight. */
  inFlight(): number {
    return this.#session?.inFlight() ?? 0
  }

  async stop(): Promise<void> {
    this.#health.stopped()
    this.#replaced()
    this.#alarm.ring()
    await this.#running
  }

  ready(): Session | undefined {
    return this.#isReady() ? this.#session : undefined
  }

  live(): Session | undefined {
    return this.#isEnded() ? undefined : this.#session
  }

  isRunning(): boolean {
    return this.#running !== undefined && !this.#isStopped()
  }

  reasons(): readonly string[] {
    return this.#health.reasons
  }

  unavailable(): HeadgateError {
    return new HeadgateError('HG_KAFKA_UNAVAILABLE', this.#health.reasons[0] ?? 'Kafka is not connected.')
  }

  join(user: SessionUser): void {
    this.#users.add(user)
    this.#running ??= this.#run()
    this.#watch.check()
  }

  leave(user: SessionUser): void {
    this.#users.delete(user)
  }

  async check(targets: readonly LocatedTarget[]): Promise<readonly TopologyProblem[]> {
    if (this.#session === undefined || this.#isEnded()) throw this.unavailable()
    return topologyProblems(targets, await askForPartitions(this.#session, targets, CHECK_TIMEOUT))
  }

  replace(session: Session | undefined): Promise<void> {
    this.#replacement ??= promiseWithResolve()
    const { promise } = this.#replacement
    // A session that is opening or has ended has no records in flight.
    if (session !== undefined && session === this.#session && !this.#isEnded())
      this.#giveUp({
        code: 'HG_KAFKA_NOT_DELIVERED',
        why: 'it is unknown which of its records Kafka has',
      })
    return promise
  }

  async #run(): Promise<void> {
    let attempt = 0
    while (!this.#isStopped()) {
      this.#breakage = undefined
      this.#session = await this.#connect(attempt++)
      if (this.#session !== undefined) {
        attempt = 0
        const breakage = await this.#use(this.#session)
        this.#session = undefined
        // A session that did not break is replaced at once: a fence waits for it.
        if (breakage?.code === 'HG_KAFKA_NOT_DELIVERED') continue
      }
      if (!this.#isStopped())
        await this.#alarm.wait(Math.min(RECONNECT_PAUSE * 2 ** this.#breakages, LONGEST_PAUSE))
    }
  }

  async #connect(attempt: number): Promise<Session | undefined> {
    try {
      return await this.#options.open(this.#events(), Math.min(FIRST_CONNECT * 2 ** attempt, LONGEST_CONNECT))
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The Kafka client')
      if (error.code === 'HG_CONFIG_VALUE') for (const user of this.#users) user.refused(error)
      if (!this.#isStopped()) this.#health.unreachable(error)
      this.#replaced()
      return undefined
    }
  }

  /** Returns when the session is at its end, with the reason if it broke. */
  async #use(session: Session): Promise<Breakage | undefined> {
    await this.#watch.over(session)
    const breakage = this.#breakage
    await (breakage === undefined ? session.close(this.#options.signal) : session.abandon(breakage))
    return breakage
  }

  #events(): SupervisedEvents {
    const broken = (reason: string): void => {
      if (this.#isEnded()) return
      this.#breakages++
      this.#giveUp({ code: 'HG_KAFKA_FATAL', why: `the session broke: ${reason}` })
    }
    return {
      disconnected: this.#watch.suspect,
      delivered: () => {
        this.#breakages = 0
        // The first report after an outage proves its end.
        if (!this.#isReady()) this.#alarm.ring()
      },
      failed: ({ remedy }) => {
        if (remedy === 'replace') broken('a record failed with a fatal error')
        else if (remedy === 'check') this.#watch.suspect()
      },
      batchesLimited: (topic, bytes) => {
        const message = `max.message.bytes of topic "${topic}" is smaller than a batch; batches of it have at most ${bytes} bytes from now on. Set "batch.size" of the sink below max.message.bytes.`
        this.#options.log.warn({ topic, bytes }, message)
      },
      broken,
    }
  }

  /** Returns true if each user has its targets. */
  #answered(asked: readonly LocatedTarget[], partitions: ReadonlyMap<string, number>): boolean {
    const all = new Set(asked)
    let complete = true
    for (const user of this.#users) {
      const targets = user.targets()
      // A user that came while the cluster was asked is asked for next.
      complete = targets.every((target) => all.has(target)) && user.examined(targets, partitions) && complete
    }
    return complete
  }

  #giveUp(breakage: Breakage): void {
    this.#breakage = breakage
    this.#health.broken(breakage)
    this.#alarm.ring()
  }

  #replaced(): void {
    const { resolve } = this.#replacement ?? {}
    this.#replacement = undefined
    resolve?.()
  }

  #isReady(): boolean {
    return this.#health.condition === 'ready'
  }

  #isStopped(): boolean {
    return this.#health.condition === 'stopped'
  }

  #isEnded(): boolean {
    return this.#breakage !== undefined || this.#isStopped()
  }
}

interface PromiseWithResolve {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

function promiseWithResolve(): PromiseWithResolve {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
