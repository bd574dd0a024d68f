import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import rdkafka from 'node-rdkafka'
import type { InstanceGroup, InstanceState } from '../../../../contract/index.js'
import { backoffDelay, sleep, untilAborted } from '../../../../lib/async.js'
import { explain } from '../failures.js'
import type { Connection } from '../protocol/connection.js'
import type { Coordinators } from '../protocol/coordinators.js'
import { BrokerRefusal } from '../protocol/group-requests.js'
import { type Instance, InstanceRole, type InstanceRoleOptions, type Status } from './instance-role.js'
import { REBALANCE, SESSION } from './leadership.js'
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

export interface InstanceGroupOptions extends InstanceRoleOptions {
  /** Or why this client cannot be a member. */
  readonly coordinators: SharedCoordinators | string
  /** Resolves when `isAllowed` and the pipelines before this one have settled, or `signal` is aborted. */
  turn(signal: AbortSignal): Promise<void>
}

type SharedCoordinators = Pick<Coordinators, 'ask' | 'open'>
type Request<Result> = (connection: Connection) => Promise<Result>
/** Asks the coordinator of the group. */
type Ask = <Result>(request: Request<Result>) => Promise<Result>
type Open = () => Promise<Connection>

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
  readonly #role: InstanceRole
  #id: MemberId = { group: '', instance: '', member: '' }
  /** Undefined while this process is not a member. */
  #generation: number | undefined
  /** The others know the process that had this place before. */
  #isNews = false

  constructor(options: InstanceGroupOptions) {
    this.#options = options
    this.#role = new InstanceRole(options)
    this.pipeline = options.pipeline
  }

  get status(): Status {
    return this.#role.status
  }

  join(id: string, onLost: () => void): void {
    const { group, coordinators } = this.#options
    this.#id = { group, instance: id, member: '' }
    this.#role.wait(onLost)
    if (typeof coordinators !== 'string') void this.#run(coordinators, this.#leaving.signal)
    else {
      this.#options.log.warn(
        {},
        `a second instance of this pipeline would not be noticed: only librdkafka can connect, since ${coordinators}`,
      )
      this.#role.goUnguarded()
    }
  }

  active(signal: AbortSignal): Promise<boolean> {
    return this.#role.active(signal)
  }

  isActive(): boolean {
    return this.#role.isActive()
  }

  reason(): string {
    return this.#role.reason()
  }

  state(): InstanceState {
    return this.#role.state()
  }

  async retire(): Promise<void> {
    this.#leaving.abort()
    await this.#role.inactive()
  }

  async leave(toSuccessor: boolean): Promise<void> {
    const { status, isUnguarded } = this.#role
    if (status === 'left') return
    const wasJoined = !isUnguarded && status !== 'apart' && status !== 'waiting'
    this.#leaving.abort()
    this.#role.leave()
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
      if (this.#role.status === 'waiting') this.#role.become('joining')
      const attempt = new AbortController()
      const end = () => attempt.abort()
      signal.addEventListener('abort', end)
      try {
        if (!(await ask(hasStaticMembers))) {
          // Only the embedded Kafka and brokers before 2.4 lack them.
          this.#options.log.debug({}, 'a second instance of this pipeline would not be noticed here')
          this.#role.goUnguarded()
          return
        }
        for (;;) {
          await this.#stay(ask, () => coordinators.open(this.#id.group, attempt.signal), attempt)
          retries = 0
          this.#role.responded()
          if (!this.#options.isAllowed()) {
            await ask((connection) => leaveGroup(connection, this.#id))
            this.#evicted('')
            this.#role.become('waiting')
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
      this.#role.confirm(sentAt, true)
    } catch (thrown) {
      // It is still a member, and leads until Kafka ends its wait for others.
      if (thrown instanceof BrokerRefusal && thrown.code === ERRORS.ERR_REBALANCE_IN_PROGRESS)
        this.#role.confirm(sentAt, false)
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
      if (this.#generation !== undefined && !isElected && this.#role.isLeader) this.#role.lose()
      this.#id = { ...this.#id, member: joined.member }
      this.#generation = joined.generation
      const sentAt = performance.now()
      const own: Instance = {
        id: this.#id.instance,
        host: hostname(),
        pid: process.pid,
        since: this.#role.since,
      }
      const members = isElected ? joined.members : []
      const told = await within(RESPONSE, attempt, () =>
        syncGroup(second, this.#id, joined.generation, members, Buffer.from(JSON.stringify(own))),
      )
      const active = JSON.parse(told.toString()) as Instance
      this.#isNews = active.id === own.id && (active.host !== own.host || active.pid !== own.pid)
      if (active.id === own.id) this.#role.chosen(this.#isNews ? undefined : active.since, sentAt)
      else this.#role.standBy(active)
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
      const isLooking = isNew && !this.#role.isLeader
      await sleep(isLooking ? backoffDelay(LOOK, looks) : HEARTBEAT / 2, settled, false)
      if (settled.aborted) return
      if (!isNew) {
        if (this.#generation !== undefined) await this.#beat(ask).catch(ignoreRebalance)
        continue
      }
      const sentAt = performance.now()
      const instances = await ask((connection) => instancesIn(connection, this.#id.group))
      if (settled.aborted || !instances.includes(this.#id.instance)) continue
      if (instances.length === 1) this.#role.lead()
      this.#role.confirm(sentAt, true)
    }
  }

  /** Another instance may be active from now on, if Kafka has chosen one. */
  #evicted(member: string): void {
    this.#id = { ...this.#id, member }
    this.#generation = undefined
    this.#role.lose()
  }

  /** A process with the same id has taken the place: a copy of the state directory. It goes on as another instance. */
  #fenced(): void {
    this.#options.log.warn({}, 'another process uses a copy of this state directory')
    this.#id = { ...this.#id, instance: randomUUID() }
    this.#evicted('')
  }

  async #failed(thrown: unknown, retries: number): Promise<void> {
    const refusal = thrown instanceof BrokerRefusal ? REFUSALS.get(thrown.code) : undefined
    const why =
      refusal ??
      (thrown instanceof BrokerRefusal
        ? explain({ code: thrown.code, message: thrown.message })
        : (thrown as Error).message)
    this.#role.failed(why, refusal !== undefined, retries === 0)
    await sleep(refusal === undefined ? backoffDelay(BACKOFF, retries) : REFUSED, this.#leaving.signal, false)
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
