import { asHeadgateError, HeadgateError } from '../../../errors.js'
import type { Log, PlacedTarget, Receipt, SinkRecord } from '../../../plugin.js'
import type { ClientLog } from './client-log.js'
import type { Session, SessionEvents } from './session.js'
import { askForTargets, impossibleTargets, type TopologyProblem } from './topology.js'

/** All in milliseconds. */
const GRACE = 3000
const FIRST_CONNECT = 1000
const LONGEST_CONNECT = 5000
const RECONNECT_PAUSE = 500
const LONGEST_PAUSE = 30_000
const CHECK_TIMEOUT = 2000
const UNREACHABLE_PAUSE = 1000
const TOPICS_PAUSE = 5000
/** Between two looks at a healthy session: short enough to see that confirmations have stopped. */
const WATCH = 2000
const STALLED = 5000
/** Records can fail by the thousand; the cluster is asked no more often than this. */
const SUSPICION_PAUSE = 250

export interface SupervisorOptions {
  /** For people. */
  readonly brokers: string
  readonly log: Log
  readonly signal: AbortSignal
  readonly clientLog: Pick<ClientLog, 'trouble' | 'forgetTrouble'>
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
  send(record: SinkRecord): Promise<Receipt>
  outstanding(): number
  stop(): Promise<void>
}

type Condition = 'starting' | 'ready' | 'unreachable' | 'stalled' | 'misconfigured' | 'broken' | 'stopped'

/** Keeps one session with Kafka going: connects, replaces a broken one, and knows whether records can be sent now. */
export function createSupervisor({ brokers, log, signal, clientLog, open }: SupervisorOptions): Supervisor {
  let targets: readonly PlacedTarget[] = []
  let session: Session | undefined
  let condition: Condition = 'starting'
  let reasons: readonly string[] = ['Kafka is not connected yet.']
  /** What the last examination found wrong with the topics, so that each problem is logged once. */
  let known: readonly string[] = []
  /** Why the session cannot be used any more. */
  let breakage: string | undefined
  /** Since a record was last delivered: a session that breaks each time is not opened anew without end. */
  let breakages = 0
  let suspicious = false
  let reachableSince = 0
  let wake = () => {}
  let running: Promise<void> | undefined
  /** While `start` waits: told the first answer of the cluster; says whether that ends it all. */
  let firstAnswer = (_problems: readonly TopologyProblem[]): boolean => false
  let refused = (_error: HeadgateError): void => {}

  function become(next: Condition, why: readonly string[] = []): boolean {
    const changed = condition !== next
    condition = next
    reasons = why
    if (next !== 'misconfigured') known = []
    return changed
  }

  const stopped = (): boolean => condition === 'stopped'
  const ended = (): boolean => breakage !== undefined || stopped()

  const events: Omit<SessionEvents, 'log' | 'statistics'> = {
    disconnected: suspect,
    delivered: () => {
      breakages = 0
      // The first report after an outage proves its end.
      if (condition !== 'ready') wake()
    },
    failed({ remedy }) {
      if (remedy === 'replace') events.broken('a record failed with a fatal error')
      else if (remedy === 'check') suspect()
    },
    broken(reason) {
      if (ended()) return
      breakage = reason
      breakages++
      become('broken', [`The session with Kafka broke and is opened anew: ${reason}.`])
      log.error({ code: 'HG_KAFKA_FATAL', reason }, 'The session with Kafka broke; a new one is opened.')
      wake()
    },
  }

  function suspect(): void {
    if (condition !== 'ready' || suspicious) return
    suspicious = true
    wake()
  }

  /** Ends early when there is something to do. */
  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        wake = () => {}
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      wake = done
    })
  }

  async function run(): Promise<void> {
    let attempt = 0
    while (!stopped()) {
      breakage = undefined
      session = await connect(attempt++)
      if (session !== undefined) {
        attempt = 0
        await tend(session)
        await (breakage === undefined ? session.close(signal) : session.abandon(breakage))
        session = undefined
      }
      if (!stopped()) await pause(Math.min(RECONNECT_PAUSE * 2 ** breakages, LONGEST_PAUSE))
    }
  }

  async function connect(attempt: number): Promise<Session | undefined> {
    try {
      return await open(events, Math.min(FIRST_CONNECT * 2 ** attempt, LONGEST_CONNECT))
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The Kafka client')
      if (error.code === 'HG_CONFIG_VALUE') refused(error)
      if (!stopped()) unreachable(error)
      return undefined
    }
  }

  /** Returns when the session is at its end. */
  async function tend(live: Session): Promise<void> {
    while (!ended()) {
      suspicious = false
      const rest = await examine(live)
      if (!ended()) await pause(rest)
      while (condition === 'ready' && !suspicious && silenceOf(live) < STALLED) await pause(WATCH)
    }
  }

  /** Asks the cluster for all targets, and says how long its answer may stand. */
  async function examine(live: Session): Promise<number> {
    let problems: readonly TopologyProblem[]
    try {
      problems = await askForTargets(live, targets, CHECK_TIMEOUT)
    } catch (thrown) {
      if (!ended()) unreachable(thrown)
      return UNREACHABLE_PAUSE
    }
    if (ended()) return 0
    if (firstAnswer(problems)) return 0
    if (problems.length > 0) {
      misconfigured(problems)
      return TOPICS_PAUSE
    }
    if (condition === 'unreachable') reachableSince = performance.now()
    const silence = silenceOf(live)
    if (silence >= STALLED) {
      stalled(silence)
      return UNREACHABLE_PAUSE
    }
    clientLog.forgetTrouble()
    if (become('ready')) log.info({ brokers }, 'Kafka takes records.')
    return SUSPICION_PAUSE
  }

  /** How long Kafka has confirmed nothing although it could: an outage does not count. */
  const silenceOf = (live: Session): number => Math.min(live.stalledFor(), performance.now() - reachableSince)

  function unreachable(error: unknown): void {
    const why = clientLog.trouble() ?? (error instanceof Error ? error.message : String(error))
    const reason = `Kafka is not reachable at ${brokers}: ${why}.`
    if (become('unreachable', [reason])) log.warn({ code: 'HG_KAFKA_UNAVAILABLE' }, reason)
  }

  function misconfigured(problems: readonly TopologyProblem[]): void {
    const messages = problems.map(({ message }) => message)
    for (const { code, message } of problems) if (!known.includes(message)) log.error({ code }, message)
    become('misconfigured', messages)
    known = messages
  }

  function stalled(milliseconds: number): void {
    const seconds = Math.floor(milliseconds / 1000)
    const reason = `Kafka answers, but has confirmed none of ${session?.outstanding()} records for ${seconds} s.`
    if (become('stalled', [reason])) log.warn({ code: 'HG_KAFKA_UNAVAILABLE' }, reason)
  }

  async function stop(): Promise<void> {
    become('stopped', ['Headgate is shutting down.'])
    wake()
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
    notReady: () => reasons,
    send(record) {
      const [reason] = reasons
      if (session !== undefined && reason === undefined) return session.send(record)
      return Promise.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', reason ?? 'Kafka is not connected.'))
    },
    outstanding: () => session?.outstanding() ?? 0,
    stop,
  }
}
