import { HeadgateError } from '../../../contract/errors.js'
import type { LocatedTarget, Log, Receipt, SinkRecord } from '../../../contract/index.js'
import type { Session } from './producer/session.js'
import { impossibleTargets, type TopologyProblem, topologyProblems } from './producer/watch.js'

/** Milliseconds. */
const GRACE = 3000

/** The supervisor of a session, as its connections need it. */
export interface SharedSession {
  /** The session that takes records now. */
  ready(): Session | undefined
  /** The session that takes records or may yet confirm some. */
  live(): Session | undefined
  isRunning(): boolean
  /** Why no session takes records; empty if one does. */
  reasons(): readonly string[]
  unavailable(): HeadgateError
  /** Starts it, if this is the first pipeline, and asks for the targets of `user` soon. */
  join(user: SessionUser): void
  leave(user: SessionUser): void
  check(targets: readonly LocatedTarget[]): Promise<readonly TopologyProblem[]>
  /**
   * Gives up `session`, if that is still the current one. Resolves when the next one has been examined, or if there is none
   * yet.
   */
  replace(session: Session | undefined): Promise<void>
}

/** A pipeline as the supervisor sees it. */
export interface SessionUser {
  targets(): readonly LocatedTarget[]
  /** The response of the cluster for its targets; the health of the session is up to date then. Returns false if the cluster lacks one. */
  examined(targets: readonly LocatedTarget[], partitions: ReadonlyMap<string, number>): boolean
  /** The client cannot be made with these properties. */
  refused(error: HeadgateError): void
}

/** The connection of one pipeline, over a session that several pipelines share. */
export class SinkConnection implements SessionUser {
  readonly #shared: SharedSession
  readonly #log: Log
  #targets: readonly LocatedTarget[] = []
  /** Targets that the cluster lacks; undefined before its first response. */
  #problems: readonly TopologyProblem[] | undefined
  /** The session that the last record went through. Any unconfirmed record is in this one or in an older one. */
  #sentThrough: Session | undefined
  #hasLeft = false
  /** While `start` waits: settle it. */
  #onFirstResponse = (_problems: readonly TopologyProblem[]): void => {}
  #onRefused = (_error: HeadgateError): void => {}
  /** Called once records can be sent. */
  readonly #onReady: (() => void)[] = []

  constructor(shared: SharedSession, log: Log) {
    this.#shared = shared
    this.#log = log
  }

  /** Call it before `start`. */
  expect(targets: readonly LocatedTarget[]): void {
    this.#targets = targets
  }

  /**
   * Resolves when Kafka has responded for the first time, or after a short grace; from then on problems are reasons of
   * `notReady`. Rejects if Kafka shows that the config cannot be right.
   */
  async start(): Promise<void> {
    let grace: NodeJS.Timeout | undefined
    const settled = new Promise<void>((resolve, reject) => {
      this.#onFirstResponse = (found) => {
        if (found.some(({ code }) => code === 'HG_KAFKA_PARTITION_MISSING')) reject(impossibleTargets(found))
        else resolve()
      }
      this.#onRefused = reject
      grace = setTimeout(resolve, GRACE)
    })
    this.#shared.join(this)
    try {
      await settled
    } finally {
      clearTimeout(grace)
      this.#onFirstResponse = () => {}
      this.#onRefused = () => {}
    }
  }

  notReady(): readonly string[] {
    if (this.#hasLeft) return ['Headgate is shutting down.']
    const ofSession = this.#shared.reasons()
    if (ofSession.length > 0) return ofSession
    return this.#problems?.map(({ message }) => message) ?? ['The topics have not been checked in Kafka yet.']
  }

  /** Resolves when `notReady` is empty. */
  ready(): Promise<void> {
    if (this.notReady().length === 0) return Promise.resolve()
    return new Promise((resolve) => void this.#onReady.push(resolve))
  }

  /** Asks the cluster for other targets than the expected ones. Rejects if it lacks some, or does not respond. */
  async check(targets: readonly LocatedTarget[]): Promise<void> {
    const found = await this.#shared.check(targets)
    if (found.length > 0) throw impossibleTargets(found)
  }

  send(record: SinkRecord): Promise<Receipt> {
    const session = this.#shared.ready()
    if (session === undefined || this.#problems?.length !== 0 || this.#hasLeft)
      return Promise.reject(this.#unavailable())
    this.#sentThrough = session
    return session.send(record)
  }

  /**
   * Fails all unconfirmed records of this pipeline. If there are any, the session ends too: the records of all other
   * pipelines fail with it and are in doubt. Resolves when the session is closed and a new one accepts records;
   * rejects if that does not succeed at once, and may be retried.
   */
  async fence(): Promise<void> {
    if (!this.#shared.isRunning()) throw this.#shared.unavailable()
    const live = this.#shared.live()
    // Records that the fence of another pipeline failed ended with their session. If this fence ended the next
    // session too, it would fail newer records of other pipelines, whose fences would do the same, without end.
    if (live === undefined || live === this.#sentThrough) await this.#shared.replace(live)
    if (this.notReady().length > 0) throw this.#unavailable()
  }

  /** Leaves the session to the other pipelines. Its own records in flight are still confirmed. */
  leave(): void {
    this.#hasLeft = true
    this.#shared.leave(this)
  }

  targets(): readonly LocatedTarget[] {
    return this.#targets
  }

  examined(targets: readonly LocatedTarget[], partitions: ReadonlyMap<string, number>): boolean {
    const found = topologyProblems(targets, partitions)
    for (const { code, message } of found)
      if (!this.#problems?.some((problem) => problem.message === message)) this.#log.error({ code }, message)
    if (found.length === 0 && (this.#problems?.length ?? 0) > 0) this.#log.info({}, 'All topics exist now.')
    this.#problems = found
    this.#onFirstResponse(found)
    if (this.notReady().length === 0) for (const resolve of this.#onReady.splice(0)) resolve()
    return found.length === 0
  }

  refused(error: HeadgateError): void {
    this.#onRefused(error)
  }

  #unavailable(): HeadgateError {
    return new HeadgateError('HG_KAFKA_UNAVAILABLE', this.notReady()[0] ?? 'Kafka is not connected.')
  }
}
