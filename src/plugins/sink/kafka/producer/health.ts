import type { Log } from '../../../../contract/index.js'
import type { ClientLogLine } from './producer.js'
import type { Breakage } from './session.js'

/** syslog's number for warnings; smaller is worse. */
const WARNING = 4
/** One text is logged once in so many milliseconds. */
const QUIET = 60_000
const TEXTS = 100

/** librdkafka's log in ours: texts that it repeats, as it does while a broker is down, are counted instead. */
export class ClientLog {
  readonly #log: Log
  readonly #now: () => number
  readonly #seen = new Map<string, { since: number; repeated: number }>()
  #trouble: string | undefined

  constructor(log: Log, now: () => number = Date.now) {
    this.#log = log
    this.#now = now
  }

  readonly write = ({ severity, fac, message }: ClientLogLine): void => {
    const text = plain(message)
    // The name of the broker comes first: the address that failed is in the text.
    if (fac === 'FAIL') this.#trouble = text.replace(/^\S+: /, '')
    if (severity > WARNING) {
      this.#log.debug({ facility: fac }, `librdkafka: ${text}`)
      return
    }
    const repeated = this.#due(`${fac} ${text}`)
    if (repeated === undefined) return
    this.#log.warn({ facility: fac, ...(repeated > 0 && { repeated }) }, `librdkafka: ${text}`)
  }

  /** Why the last connection failed or broke, in librdkafka's words. */
  trouble(): string | undefined {
    return this.#trouble
  }

  /** The connection works again. */
  forgetTrouble(): void {
    this.#trouble = undefined
  }

  /** How often the text came since it was last logged; undefined if it must wait. */
  #due(text: string): number | undefined {
    const kind = text.replace(/\d+/g, '#')
    const last = this.#seen.get(kind)
    if (last !== undefined && this.#now() - last.since < QUIET) {
      last.repeated++
      return undefined
    }
    // Bounds the memory: some texts vary in more than numbers.
    if (this.#seen.size >= TEXTS) this.#seen.clear()
    this.#seen.set(kind, { since: this.#now(), repeated: 0 })
    return last?.repeated ?? 0
  }
}

/** Without the names of librdkafka's threads, and without the numbers that make every repetition a text of its own. */
const plain = (message: string): string =>
  message.replace(/^\[thrd:[^\]]*\]: /, '').replace(/ \(after \d+ms.*\)$/, '')

export type Condition = 'starting' | 'ready' | 'unreachable' | 'stalled' | 'broken' | 'stopped'

export interface HealthOptions {
  /** For people. */
  readonly brokers: string
  readonly log: Log
  readonly clientLog: Pick<ClientLog, 'trouble' | 'forgetTrouble'>
}

/** Whether the session takes records, and if not, why. Each change is logged once. */
export class Health {
  readonly #options: HealthOptions
  #condition: Condition = 'starting'
  #reasons: readonly string[] = ['Kafka is not connected yet.']

  constructor(options: HealthOptions) {
    this.#options = options
  }

  get condition(): Condition {
    return this.#condition
  }

  /** One sentence each; empty if records can be sent. */
  get reasons(): readonly string[] {
    return this.#reasons
  }

  ready(): void {
    const { brokers, log, clientLog } = this.#options
    clientLog.forgetTrouble()
    if (this.#become('ready')) log.info({ brokers }, 'Kafka takes records.')
  }

  unreachable(error: unknown): void {
    const { brokers, clientLog } = this.#options
    const why = clientLog.trouble() ?? (error instanceof Error ? error.message : String(error))
    this.#unavailable('unreachable', `Kafka is not reachable at ${brokers}: ${why}.`)
  }

  stalled(inFlight: number, milliseconds: number): void {
    const seconds = Math.floor(milliseconds / 1000)
    this.#unavailable(
      'stalled',
      `Kafka answers, but has confirmed none of ${inFlight} records for ${seconds} s.`,
    )
  }

  broken({ code, why }: Breakage): void {
    this.#become('broken', [`The session with Kafka is being reopened: ${why}.`])
    this.#options.log.error(
      { code, reason: why },
      'Headgate ends this session with Kafka and opens a new one.',
    )
  }

  stopped(): void {
    this.#become('stopped', ['Headgate is shutting down.'])
  }

  #unavailable(condition: Condition, reason: string): void {
    if (this.#become(condition, [reason])) this.#options.log.warn({ code: 'HG_KAFKA_UNAVAILABLE' }, reason)
  }

  #become(condition: Condition, reasons: readonly string[] = []): boolean {
    const changed = this.#condition !== condition
    this.#condition = condition
    this.#reasons = reasons
    return changed
  }
}
