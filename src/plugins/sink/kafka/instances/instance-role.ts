import type { ActiveInstance, InstanceState, Log } from '../../../../contract/index.js'
import { untilAborted } from '../../../../lib/async.js'
import { Leadership } from './leadership.js'

export type Status = 'apart' | 'waiting' | 'joining' | 'standby' | 'active' | 'refused' | 'left'

export interface InstanceRoleOptions {
  readonly pipeline: string
  readonly group: string
  readonly log: Log
  /** Whether the other pipelines of this process let this one be active here. */
  isAllowed(): boolean
  onChanged(): void
}

/** As the active instance describes itself to the others. */
export interface Instance extends ActiveInstance {
  readonly id: string
}

/** Whether this instance is the active one, as far as Kafka has said so, and why it is not. */
export class InstanceRole {
  readonly #options: InstanceRoleOptions
  readonly #leadership = new Leadership(() => this.#lost('joining'))
  #onLost = (): void => {}
  #status: Status = 'apart'
  /** True after another instance may have been active. */
  #stoodBy = false
  #other: Instance | undefined
  #problem: string | undefined
  #isUnguarded = false
  #waiting: (() => void)[] = []

  constructor(options: InstanceRoleOptions) {
    this.#options = options
  }

  get status(): Status {
    return this.#status
  }

  /** This instance cannot know whether there are others. */
  get isUnguarded(): boolean {
    return this.#isUnguarded
  }

  get isLeader(): boolean {
    return this.#leadership.isLeader
  }

  /** Since when it is the active one, or will have been. */
  get since(): string {
    return this.#leadership.since ?? new Date().toISOString()
  }

  isActive(): boolean {
    return this.#isUnguarded || this.#leadership.isCertain()
  }

  /** As `InstanceGroup.active`. */
  async active(signal: AbortSignal): Promise<boolean> {
    while (!this.isActive() && this.#status !== 'left' && !signal.aborted)
      await untilAborted(this.#changed(), signal)
    const stoodBy = this.#stoodBy
    this.#stoodBy = false
    return stoodBy
  }

  async inactive(): Promise<void> {
    while (this.isActive()) await this.#changed()
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

  /** `onLost`: called when another instance may have become the active one. */
  wait(onLost: () => void): void {
    this.#onLost = onLost
    this.become('waiting')
  }

  goUnguarded(): void {
    this.#isUnguarded = true
    this.become('active')
  }

  /** Kafka has chosen this instance, or has only this one. */
  lead(since?: string): void {
    this.#leadership.begin(since)
  }

  /** Kafka had this member at `sentAt`; `isSettled` as for `Leadership.confirm`. */
  confirm(sentAt: number, isSettled: boolean): void {
    this.#leadership.confirm(sentAt, isSettled)
    if (!this.isActive()) return
    this.#problem = undefined
    if (this.#status === 'active') return
    if (this.#stoodBy) this.#options.log.info({}, 'this instance of the pipeline is the active one now')
    this.become('active')
  }

  /** Kafka has chosen this instance, as all of them have heard. */
  chosen(since: string | undefined, sentAt: number): void {
    this.#other = undefined
    this.lead(since)
    this.confirm(sentAt, true)
  }

  standBy(active: Instance): void {
    this.#leadership.end()
    const isOther = this.#other?.id !== active.id || this.#status !== 'standby'
    this.#other = active
    this.#stoodBy = true
    this.#lost('standby')
    if (isOther) this.#options.log.warn({ code: 'HG_LEDGER_STANDBY', active }, this.reason())
  }

  /** Another instance may be active from now on, if Kafka has chosen one. */
  lose(): void {
    this.#leadership.end()
    this.#stoodBy = true
    this.#lost('joining')
  }

  /** Kafka cannot be asked, or refuses. The first failure may pass. */
  failed(why: string, isRefused: boolean, isFirst: boolean): void {
    if (this.#problem !== why && (isRefused || !isFirst)) {
      this.#problem = why
      const code = isRefused ? 'HG_KAFKA_NOT_ALLOWED' : 'HG_KAFKA_UNAVAILABLE'
      this.#options.log.warn({ code }, this.reason())
    }
    if (isRefused && this.#status !== 'active') this.become('refused')
  }

  responded(): void {
    this.#problem = undefined
  }

  leave(): void {
    this.#leadership.end()
    this.#isUnguarded = false
    this.become('left')
  }

  become(status: Status): void {
    if (this.#status === status || this.#status === 'left') return
    this.#status = status
    this.#options.onChanged()
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #lost(status: Status): void {
    const wasActive = this.#status === 'active'
    this.become(status)
    if (!wasActive) return
    this.#options.log.warn({}, 'this instance of the pipeline is no longer certain to be the only active one')
    this.#onLost()
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }
}
