import type { Log } from '../../../contract/index.js'
import type { ClientLog } from './client-log.js'
import type { Breakage } from './session.js'

export type Condition = 'starting' | 'ready' | 'unreachable' | 'stalled' | 'broken' | 'stopped'

/** Whether the session takes records, and if not, why. Each change is logged once. */
export interface Health {
  condition(): Condition
  /** One sentence each; empty where records can be sent. */
  reasons(): readonly string[]
  ready(): void
  unreachable(error: unknown): void
  stalled(outstanding: number, milliseconds: number): void
  broken(breakage: Breakage): void
  stopped(): void
}

export interface HealthOptions {
  /** For people. */
  readonly brokers: string
  readonly log: Log
  readonly clientLog: Pick<ClientLog, 'trouble' | 'forgetTrouble'>
}

export function createHealth({ brokers, log, clientLog }: HealthOptions): Health {
  let condition: Condition = 'starting'
  let reasons: readonly string[] = ['Kafka is not connected yet.']

  function become(next: Condition, why: readonly string[] = []): boolean {
    const changed = condition !== next
    condition = next
    reasons = why
    return changed
  }

  return {
    condition: () => condition,
    reasons: () => reasons,
    ready() {
      clientLog.forgetTrouble()
      if (become('ready')) log.info({ brokers }, 'Kafka takes records.')
    },
    unreachable(error) {
      const why = clientLog.trouble() ?? (error instanceof Error ? error.message : String(error))
      const reason = `Kafka is not reachable at ${brokers}: ${why}.`
      if (become('unreachable', [reason])) log.warn({ code: 'HG_KAFKA_UNAVAILABLE' }, reason)
    },
    stalled(outstanding, milliseconds) {
      const seconds = Math.floor(milliseconds / 1000)
      const reason = `Kafka answers, but has confirmed none of ${outstanding} records for ${seconds} s.`
      if (become('stalled', [reason])) log.warn({ code: 'HG_KAFKA_UNAVAILABLE' }, reason)
    },
    broken({ code, why }) {
      become('broken', [`The session with Kafka is opened anew: ${why}.`])
      log.error({ code, reason: why }, 'The session with Kafka is given up; a new one is opened.')
    },
    stopped() {
      become('stopped', ['Headgate is shutting down.'])
    },
  }
}
