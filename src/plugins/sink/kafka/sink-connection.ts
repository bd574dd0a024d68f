import { HeadgateError } from '../../../contract/errors.js'
import type { Log, PlacedTarget, Receipt, SinkRecord } from '../../../contract/index.js'
import type { Session } from './session.js'
import { impossibleTargets, type TopologyProblem, topologyProblems } from './topology.js'

/** Milliseconds. */
const GRACE = 3000

/** One pipeline's part of a session that several pipelines share. */
export interface SinkConnection {
  /** Called before `start`. */
  expect(targets: readonly PlacedTarget[]): void
  /**
   * Resolves when Kafka has answered for the first time, or after a short grace; from then on problems are reasons of
   * `notReady`. Rejects if Kafka shows that the config cannot be right.
   */
  start(): Promise<void>
  notReady(): readonly string[]
  /** Asks the cluster for other targets than those expected. Rejects if it lacks some, or does not answer. */
  check(targets: readonly PlacedTarget[]): Promise<void>
  send(record: SinkRecord): Promise<Receipt>
  /**
   * Gives up all records of this pipeline that are not confirmed; if there are any, with the session, so that the records of
   * all other pipelines fail too and their fate is unknown. Resolves when that session is gone and a new one takes records;
   * rejects if that does not succeed at once, and may be tried again.
   */
  fence(): Promise<void>
  /** Leaves the session to the other pipelines. What it has sent is still confirmed. */
  leave(): void
}

/** What a connection needs of the session's supervisor. */
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
  check(targets: readonly PlacedTarget[]): Promise<readonly TopologyProblem[]>
  /**
   * Gives up `session`, if that is still the current one. Resolves when the next one has been looked at, or if there is
   * none yet.
   */
  replace(session: Session | undefined): Promise<void>
}

/** A pipeline as the supervisor sees it. */
export interface SessionUser {
  targets(): readonly PlacedTarget[]
  /** The cluster's answer to its targets. Returns false if it lacks one. */
  examined(targets: readonly PlacedTarget[], partitions: ReadonlyMap<string, number>): boolean
  /** The client cannot be made with these properties. */
  refused(error: HeadgateError): void
}

export function createSinkConnection(shared: SharedSession, log: Log): SinkConnection {
  let targets: readonly PlacedTarget[] = []
  /** What the cluster lacks; undefined before its first answer. */
  let problems: readonly TopologyProblem[] | undefined
  /** The session that the last record went through. Whatever is not confirmed is in this one or in an older one. */
  let sentThrough: Session | undefined
  let left = false
  /** While `start` waits: told the first answer of the cluster. */
  let firstAnswer = (_problems: readonly TopologyProblem[]): void => {}
  let refused = (_error: HeadgateError): void => {}

  const reasons = (): readonly string[] => {
    if (left) return ['Headgate is shutting down.']
    const ofSession = shared.reasons()
    if (ofSession.length > 0) return ofSession
    return problems?.map(({ message }) => message) ?? ['Kafka was not asked for the topics yet.']
  }
  const unavailable = (): HeadgateError =>
    new HeadgateError('HG_KAFKA_UNAVAILABLE', reasons()[0] ?? 'Kafka is not connected.')

  const user: SessionUser = {
    targets: () => targets,
    examined(asked, partitions) {
      const found = topologyProblems(asked, partitions)
      for (const { code, message } of found)
        if (!problems?.some((known) => known.message === message)) log.error({ code }, message)
      if (found.length === 0 && (problems?.length ?? 0) > 0) log.info({}, 'All topics exist now.')
      problems = found
      firstAnswer(found)
      return found.length === 0
    },
    refused: (error) => refused(error),
  }

  return {
    expect(expected) {
      targets = expected
    },
    async start() {
      let grace: NodeJS.Timeout | undefined
      const answered = new Promise<void>((resolve, reject) => {
        firstAnswer = (found) => {
          if (found.some(({ code }) => code === 'HG_KAFKA_PARTITION_MISSING'))
            reject(impossibleTargets(found))
          else resolve()
        }
        refused = reject
        grace = setTimeout(resolve, GRACE)
      })
      shared.join(user)
      try {
        await answered
      } finally {
        clearTimeout(grace)
        firstAnswer = () => {}
        refused = () => {}
      }
    },
    notReady: reasons,
    async check(others) {
      const found = await shared.check(others)
      if (found.length > 0) throw impossibleTargets(found)
    },
    send(record) {
      const session = shared.ready()
      if (session === undefined || problems?.length !== 0 || left) return Promise.reject(unavailable())
      sentThrough = session
      return session.send(record)
    },
    async fence() {
      if (!shared.isRunning()) throw shared.unavailable()
      const live = shared.live()
      // What another pipeline's fence has given up is gone with its session: giving up the next one would fail records that
      // others have sent since, and so would their fences, without end.
      if (live === undefined || live === sentThrough) await shared.replace(live)
      if (reasons().length > 0) throw unavailable()
    },
    leave() {
      left = true
      shared.leave(user)
    },
  }
}
