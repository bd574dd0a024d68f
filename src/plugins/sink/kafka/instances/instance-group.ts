import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import rdkafka from 'node-rdkafka'
import type { ActiveInstance, InstanceGroup, InstanceState, Log } from '../../../../contract/index.js'
import { backoffDelay, sleep, untilAborted } from '../../../../lib/async.js'
import type { Coordinators } from '../coordinators.js'
import { explain } from '../failures.js'
import { BrokerRefusal } from '../group-requests.js'
import type { Connection } from '../probe/connection.js'
import { Leadership, REBALANCE, SESSION } from './leadership.js'
import {
  hasStaticMembers,
  heartbeat,
  instancesIn,
  joinGroup,
  leaveGroup,
  type MemberId,
  syncGroup,
} from './member-requests.js'

const { ERRORS } = rdkafka.CODES

/** All in milliseconds. */
const HEARTBEAT = 2000
/** How soon a new member looks whether it is alone, and the longest pause between two looks. */
const LOOK = { initial: 5, max: 25 }
const RESPONSE = 4000
const JOINED = REBALANCE + SESSION
const LEAVE = 2000
const BACKOFF = { initial: 100, max: 2000 }
/** Between attempts of a user without rights. */
const REFUSED = 5000

/** No retry mends it, but an administrator may. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [ERRORS.ERR_GROUP_AUTHORIZATION_FAILED, 'the user of the sink lacks the right Read on it'],
  [ERRORS.ERR_INCONSISTENT_GROUP_PROTOCOL, 'another program uses it'],
  [ERRORS.ERR_INVALID_SESSION_TIMEOUT, `group.min.session.timeout.ms of the broker exceeds ${SESSION}`],
])

export type Status = 'apart' | 'waiting' | 'joining' | 'standby' | 'active' | 'refused' | 'left'

export interface InstanceGroupOptions {
  readonly pipeline: string
  readonly group: string
  readonly log: Log
  /** Or why this client cannot be a member. */
  readonly coordinators: SharedCoordinators | string
  /** Whether the other pipelines of this process let this one be active here. */
  isAllowed(): boolean
  /** Resolves when `isAllowed` and the pipelines before this one have settled, or `signal` is aborted. */
  turn(signal: AbortSignal): Promise<void>
  onChanged(): void
}

type SharedCoordinators = Pick<Coordinators, 'ask' | 'open'>
type Request<Result> = (connection: Connection) => Promise<Result>
/** Asks the coordinator of the group. */
type Ask = <Result>(request: Request<Result>) => Promise<Result>
type Open = () => Promise<Connection>

/** As the active instance describes itself to the others. */
interface Instance extends ActiveInstance {
  readonly id: string
}

/**
 * This process in the consumer group `headgate.PIPELINE.instances`. Kafka makes the first member the leader of the group, and
 * another one when that one leaves or is silent for a session: the leader is the active instance.
 *
 * Members are static (KIP-345): a process that is started again after a crash takes its own place, without waiting for the end of
 * the session. A group without members waits for others before it tells the first one that it leads
 * (`group.initial.rebalance.delay.ms`); but the first member leads from the moment on at which it is listed alone.
 */
export class KafkaInstanceGroup implements InstanceGroup {
  readonly pipeline: string
  readonly #options: InstanceGroupOptions
  readonly #leaving = new AbortController()
  #onLost = (): void => {}
  #id: MemberId = { group: '', instance: '', member: '' }
  /** Undefined while this process is not a member. */
  #generation: number | undefined
  readonly #leadership = new Leadership(() => this.#lost('joining'))
  #status: Status = 'apart'
  /** True after another instance may have been active. */
  #stoodBy = false
  #other: Instance | undefined
  #problem: string | undefined
  #isUnguarded = false
  /** The others know the process that had this place before. */
  #isNews = false
  #waiting: (() => void)[] = []

  constructor(options: InstanceGroupOptions) {
    this.#options = options
    this.pipeline = options.pipeline
  }

  get status(): Status {
    return this.#status
  }

  join(id: string, onLost: () => void): void {
    const { group, coordinators } = this.#options
    this.#id = { group, instance: id, member: '' }
    this.#onLost = onLost
    this.#become('waiting')
    if (typeof coordinators !== 'string') void this.#run(coordinators, this.#leaving.signal)
    else {
      this.#options.log.warn(
        {},
        `a second instance of this pipeline would not be noticed: only librdkafka can connect, since ${coordinators}`,
      )
      this.#goUnguarded()
    }
  }

  async active(signal: AbortSignal): Promise<boolean> {
    while (!this.isActive() && this.#status !== 'left' && !signal.aborted)
      await untilAborted(this.#changed(), signal)
    const stoodBy = this.#stoodBy
    this.#stoodBy = false
    return stoodBy
  }

  isActive(): boolean {
    return this.#isUnguarded || this.#leadership.isCertain()
  }

  reason(): string {
    const { pipeline, group } = this.#options
    if (this.#problem !== undefined)
      return `Headgate cannot find out whether another instance of pipeline "${pipeline}" is active: consumer group "${group}": ${this.#problem}.`
    if (this.#status === 'waiting' && !this.#options.isAllowed())
      return `Pipeline "${pipeline}" is a standby, because another pipeline of this process is.`
    if (this.#other === undefined)
      return `Headgate is finding out whether another instance of pipeline "${pipeline}" is active.`
    const { host, pid, since } = this.#other
    return `Another instance of pipeline "${pipeline}" is active: process ${pid} on ${host}, since ${since}. This one is a standby, and takes over when that one stops.`
  }

  state(): InstanceState {
    if (this.#isUnguarded) return { kind: 'unguarded' }
    const { since } = this.#leadership
    if (since !== undefined && this.isActive()) return { kind: 'active', since }
    if (this.#problem !== undefined || this.#other === undefined) return { kind: 'undecided' }
    const { host, pid, since: activeSince } = this.#other
    return { kind: 'standby', active: { host, pid, since: activeSince } }
  }

  async retire(): Promise<void> {
    this.#leaving.abort()
    while (this.isActive()) await this.#changed()
  }

  async leave(toSuccessor: boolean): Promise<void> {
    if (this.#status === 'left') return
    const wasJoined = !this.#isUnguarded && this.#status !== 'apart' && this.#status !== 'waiting'
    this.#leaving.abort()
    this.#leadership.end()
    this.#isUnguarded = false
    this.#become('left')
    const { coordinators } = this.#options
    if (toSuccessor || !wasJoined || typeof coordinators === 'string') return
    const left = coordinators.ask(this.#id.group, (connection) => leaveGroup(connection, this.#id))
    // Otherwise the others notice the end of the session.
    await untilAborted(
      left.catch(() => {}),
      AbortSignal.timeout(LEAVE),
    )
  }

  async #run(coordinators: SharedCoordinators, signal: AbortSignal): Promise<void> {
    const ask: Ask = (request) => coordinators.ask(this.#id.group, request)
    for (let retries = 0; !signal.aborted; retries++) {
      await this.#options.turn(signal)
      if (signal.aborted) return
      if (this.#status === 'waiting') this.#become('joining')
      const attempt = new AbortController()
      const end = () => attempt.abort()
      signal.addEventListener('abort', end)
      try {
        if (!(await ask(hasStaticMembers))) {
          // Only the embedded Kafka and brokers before 2.4 lack them.
          this.#options.log.debug({}, 'a second instance of this pipeline would not be noticed here')
          this.#goUnguarded()
          return
        }
        for (;;) {
          await this.#stay(ask, () => coordinators.open(this.#id.group, attempt.signal), attempt)
          retries = 0
          this.#problem = undefined
          if (!this.#options.isAllowed()) {
            await ask((connection) => leaveGroup(connection, this.#id))
            this.#evicted('')
            this.#become('waiting')
            break
          }
        }
      } catch (thrown) {
        if (signal.aborted) return
        await this.#failed(thrown, retries)
      } finally {
        signal.removeEventListener('abort', end)
        attempt.abort()
      }
    }
  }

  /** A heartbeat, and what follows from it. Rejects if the coordinator does not respond as it should. */
  async #stay(ask: Ask, open: Open, attempt: AbortController): Promise<void> {
    if (this.#generation === undefined || this.#isNews) return this.#join(ask, open, attempt)
    await sleep(HEARTBEAT, attempt.signal, false)
    attempt.signal.throwIfAborted()
    try {
      await this.#beat(ask)
    } catch (thrown) {
      // A successor has the place: it has fenced this one.
      attempt.signal.throwIfAborted()
      const code = thrown instanceof BrokerRefusal ? thrown.code : undefined
      if (code === ERRORS.ERR_REBALANCE_IN_PROGRESS) return this.#join(ask, open, attempt)
      if (code === ERRORS.ERR_ILLEGAL_GENERATION) return this.#evicted(this.#id.member)
      if (code === ERRORS.ERR_UNKNOWN_MEMBER_ID) return this.#evicted('')
      if (code !== ERRORS.ERR_FENCED_INSTANCE_ID) throw thrown
      this.#fenced()
    }
  }

  async #beat(ask: Ask): Promise<void> {
    const sentAt = performance.now()
    try {
      await ask((connection) => heartbeat(connection, this.#id, this.#generation ?? 0))
      this.#confirmed(sentAt, true)
    } catch (thrown) {
      // It is still a member, and leads until Kafka ends its wait for others.
      if (thrown instanceof BrokerRefusal && thrown.code === ERRORS.ERR_REBALANCE_IN_PROGRESS)
        this.#confirmed(sentAt, false)
      throw thrown
    }
  }

  async #join(ask: Ask, open: Open, attempt: AbortController): Promise<void> {
    // The response to the request to join may take long, and heartbeats of this and other groups go on meanwhile.
    const [before, second] = await within(RESPONSE, attempt, () =>
      Promise.all([ask((connection) => instancesIn(connection, this.#id.group)), open()]),
    )
    const isNew = this.#generation === undefined && !before.includes(this.#id.instance)
    const settled = new AbortController()
    const watched = this.#watch(ask, isNew, AbortSignal.any([settled.signal, attempt.signal]))
    watched.catch(() => {})
    try {
      const joined = await within(JOINED, attempt, () => joinGroup(second, this.#id, SESSION, REBALANCE))
      const isElected = joined.leader === joined.member
      // A static member that comes back is told the leader by its former name, and learns more below.
      if (this.#generation !== undefined && !isElected) this.#deposed()
      this.#id = { ...this.#id, member: joined.member }
      this.#generation = joined.generation
      const sentAt = performance.now()
      const own: Instance = {
        id: this.#id.instance,
        host: hostname(),
        pid: process.pid,
        since: this.#leadership.since ?? new Date().toISOString(),
      }
      const members = isElected ? joined.members : []
      const told = await within(RESPONSE, attempt, () =>
        syncGroup(second, this.#id, joined.generation, members, Buffer.from(JSON.stringify(own))),
      )
      const active = JSON.parse(told.toString()) as Instance
      this.#isNews = active.id === own.id && (active.host !== own.host || active.pid !== own.pid)
      this.#learn(active, sentAt)
    } catch (thrown) {
      const code = thrown instanceof BrokerRefusal ? thrown.code : undefined
      if (code === ERRORS.ERR_UNKNOWN_MEMBER_ID) this.#evicted('')
      else if (code === ERRORS.ERR_FENCED_INSTANCE_ID) this.#fenced()
      // The next attempt joins again.
      else if (code !== ERRORS.ERR_REBALANCE_IN_PROGRESS) throw thrown
    } finally {
      settled.abort()
      await watched.catch(() => {})
      second.close()
    }
  }

  /**
   * While it joins: whether it leads already, because it is the first of a new group; for a member, heartbeats. A failure shows
   * in the request to join, too.
   */
  async #watch(ask: Ask, isNew: boolean, settled: AbortSignal): Promise<void> {
    for (let looks = 0; !settled.aborted; looks++) {
      const isLooking = isNew && !this.#leadership.isLeader
      await sleep(isLooking ? backoffDelay(LOOK, looks) : HEARTBEAT / 2, settled, false)
      if (settled.aborted) return
      if (!isNew) {
        if (this.#generation !== undefined) await this.#beat(ask).catch(ignoreRebalance)
        continue
      }
      const sentAt = performance.now()
      const instances = await ask((connection) => instancesIn(connection, this.#id.group))
      if (settled.aborted || !instances.includes(this.#id.instance)) continue
      if (instances.length === 1) this.#leadership.begin()
      this.#confirmed(sentAt, true)
    }
  }

  #learn(active: Instance, sentAt: number): void {
    if (active.id === this.#id.instance) {
      this.#other = undefined
      this.#leadership.begin(this.#isNews ? undefined : active.since)
      this.#confirmed(sentAt, true)
      return
    }
    this.#leadership.end()
    const isOther = this.#other?.id !== active.id || this.#status !== 'standby'
    this.#other = active
    this.#stoodBy = true
    this.#lost('standby')
    if (isOther) this.#options.log.warn({ code: 'HG_LEDGER_STANDBY', active }, this.reason())
  }

  #confirmed(sentAt: number, isSettled: boolean): void {
    this.#leadership.confirm(sentAt, isSettled)
    if (!this.isActive()) return
    this.#problem = undefined
    if (this.#status === 'active') return
    if (this.#stoodBy) this.#options.log.info({}, 'this instance of the pipeline is the active one now')
    this.#become('active')
  }

  /** Kafka has chosen another instance. */
  #deposed(): void {
    if (!this.#leadership.isLeader) return
    this.#leadership.end()
    this.#stoodBy = true
    this.#lost('joining')
  }

  /** Another instance may be active from now on, if Kafka has chosen one. */
  #evicted(member: string): void {
    this.#id = { ...this.#id, member }
    this.#generation = undefined
    this.#leadership.end()
    this.#stoodBy = true
    this.#lost('joining')
  }

  /** A process with the same id has taken the place: a copy of the state directory. It goes on as another instance. */
  #fenced(): void {
    this.#options.log.warn({}, 'another process uses a copy of this state directory')
    this.#id = { ...this.#id, instance: randomUUID() }
    this.#evicted('')
  }

  #lost(status: Status): void {
    const wasActive = this.#status === 'active'
    this.#become(status)
    if (!wasActive) return
    this.#options.log.warn({}, 'this instance of the pipeline is no longer certain to be the only active one')
    this.#onLost()
  }

  async #failed(thrown: unknown, retries: number): Promise<void> {
    const refusal = thrown instanceof BrokerRefusal ? REFUSALS.get(thrown.code) : undefined
    const why =
      refusal ??
      (thrown instanceof BrokerRefusal
        ? explain({ code: thrown.code, message: thrown.message })
        : (thrown as Error).message)
    if (this.#problem !== why && (refusal !== undefined || retries > 0)) {
      this.#problem = why
      const code = refusal === undefined ? 'HG_KAFKA_UNAVAILABLE' : 'HG_KAFKA_NOT_ALLOWED'
      this.#options.log.warn({ code }, this.reason())
    }
    if (refusal !== undefined && this.#status !== 'active') this.#become('refused')
    await sleep(refusal === undefined ? backoffDelay(BACKOFF, retries) : REFUSED, this.#leaving.signal, false)
  }

  #goUnguarded(): void {
    this.#isUnguarded = true
    this.#become('active')
  }

  #become(status: Status): void {
    if (this.#status === status || this.#status === 'left') return
    this.#status = status
    this.#options.onChanged()
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }
}

function ignoreRebalance(thrown: unknown): void {
  if (!(thrown instanceof BrokerRefusal)) throw thrown
}

/** Rejects if a request takes longer, and closes its connections: `attempt` has them. */
async function within<Result>(
  milliseconds: number,
  attempt: AbortController,
  request: () => Promise<Result>,
): Promise<Result> {
  const timer = setTimeout(() => attempt.abort(), milliseconds)
  try {
    return await request()
  } finally {
    clearTimeout(timer)
  }
}
