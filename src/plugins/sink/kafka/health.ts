import type { Log } from '../../../plugin.js'
import type { ClientLog } from './client-log.js'
import type { Breakage } from './session.js'
import type { TopologyProblem } from './topology.js'

export type Condition =
  | 'starting'
  | 'ready'
  | 'unreachable'
  | 'stalled'
  | 'misconfigured'
  | 'broken'
  | 'stopped'

/** Whether records can be sent, and if not, why. Each change is logged once. */
export interface Health {
  condition(): Condition
  /** One sentence each; empty where records can be sent. */
  reasons(): readonly string[]
  ready(): void
  unreachable(error: unknown): void
  misconfigured(problems: readonly TopologyProblem[]): void
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
  /** What was last found wrong with the topics, so that each problem is logged once. */
  let known: readonly string[] = []

  function become(next: Condition, why: readonly string[] = []): boolean {
    const changed = condition !== next
    condition = next
    reasons = why
    if (next !== 'misconfigured') known = []
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
    misconfigured(problems) {
      const messages = problems.map(({ message }) => message)
      for (const { code, message } of problems) if (!known.includes(message)) log.error({ code }, message)
      become('misconfigured', messages)
      known = messages
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
