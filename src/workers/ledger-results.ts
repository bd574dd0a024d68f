import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { LedgerReport, PartitionProgress } from '../ledger/ledger.js'
import { PendingAges } from '../ledger/report.js'
import type { AcknowledgerState } from '../pipeline/acknowledge.js'
import type { LivePipeline, Pipeline, WorkersLedger } from '../pipeline/pipeline.js'
import type { LedgerQuestion, LedgerResults, NotReady } from './messages.js'

/** In a worker: the results for a pipeline that it has whole. */
const RESULTS: {
  readonly [Question in LedgerQuestion]: (
    pipeline: Pipeline,
  ) => LedgerResults[Question] | Promise<LedgerResults[Question]>
} = {
  report: ({ ledger }) => ledger.report(true),
  failed: async ({ ledger }) => (await ledger.report()).failed,
  instances: ({ ledger }) => ledger.instances(),
  partitions: ({ ledger }) => ledger.partitions(),
  retryFailed: ({ ledger }) => ledger.retryFailed(),
  acknowledgers: ({ acknowledgers }) => acknowledgers.map(({ acknowledger }) => acknowledger.state()),
}

export async function ledgerResult<Question extends LedgerQuestion>(
  pipeline: LivePipeline | undefined,
  question: Question,
): Promise<LedgerResults[Question]> {
  if (pipeline?.role !== 'whole')
    throw new HeadgateError('HG_WORKER_FAILED', 'The worker has no such pipeline.')
  return RESULTS[question](pipeline)
}

/** The workers, as far as operators ask them about ledgers. */
export interface AskedWorkers {
  /** One function for each worker that runs, lowest slot first. Each resolves with undefined if the worker ends first. */
  ask<Question extends LedgerQuestion>(
    pipeline: string,
    question: Question,
  ): readonly (() => Promise<LedgerResults[Question] | undefined>)[]
  pids(): readonly number[]
  /** As they last reported. */
  notReady(): readonly NotReady[]
}

/** In the primary process: the ledgers of all workers as one. Each worker is an instance of the pipeline. */
export class MergedLedger implements WorkersLedger {
  readonly #pipeline: string
  readonly #workers: AskedWorkers

  constructor(pipeline: string, workers: AskedWorkers) {
    this.#pipeline = pipeline
    this.#workers = workers
  }

  notReady(part?: string): readonly string[] {
    const reasons = this.#workers
      .notReady()
      .filter((each) => each.pipeline === this.#pipeline && each.part === part)
    return [...new Set(reasons.map(({ reason }) => reason))]
  }

  async report(): Promise<LedgerReport> {
    const [reports, failed] = await Promise.all([this.#all('report'), this.#failed()])
    const now = Date.now()
    // One without partitions detects nothing.
    const since = reports.flatMap(({ partitions, remembersSince }) =>
      partitions.length === 0 ? [] : remembersSince,
    )
    return {
      pending: new PendingAges(now).all().map(({ age }, at) => ({
        age,
        count: sum(reports.map(({ pending }) => pending[at]?.count ?? 0)),
      })),
      failed,
      partitions: inOrder(reports.flatMap(({ partitions }) => partitions)),
      remembersSince: since.length === 0 ? now : Math.max(...since),
    }
  }

  async partitions(): Promise<readonly PartitionProgress[]> {
    return inOrder((await this.#all('partitions')).flat())
  }

  async acknowledgers(): Promise<readonly AcknowledgerState[]> {
    const [first = [], ...others] = await this.#all('acknowledgers')
    return first.map((state, at) => others.reduce((all, states) => together(all, states[at] ?? state), state))
  }

  /** Any worker knows those of all instances, each by its host and process. */
  async instances(): Promise<LedgerResults['instances']> {
    const found = await this.#any('instances')
    if (found.kind !== 'shared') return found
    const [asked = ''] = found.own
    const host = asked.slice(0, asked.lastIndexOf('/'))
    return { ...found, own: this.#workers.pids().map((pid) => `${host}/${pid}`) }
  }

  /** One worker retries all of them: each would make every one of them again. */
  retryFailed(): Promise<number> {
    return this.#any('retryFailed')
  }

  /** Any worker reads those of all instances from the topic for dead letters. */
  async #failed(): Promise<LedgerReport['failed']> {
    try {
      return await this.#any('failed')
    } catch (thrown) {
      return { count: 0, first: [], problem: asHeadgateError(thrown, 'The workers').message }
    }
  }

  /** The results of the workers that have one. */
  async #all<Question extends LedgerQuestion>(question: Question): Promise<LedgerResults[Question][]> {
    const asked = this.#workers.ask(this.#pipeline, question).map((ask) => ask())
    return (await Promise.allSettled(asked)).flatMap((each) =>
      each.status === 'fulfilled' && each.value !== undefined ? [each.value] : [],
    )
  }

  /** The result of the first worker that has one. Rejects as the last one does. */
  async #any<Question extends LedgerQuestion>(question: Question): Promise<LedgerResults[Question]> {
    let failed: unknown = new HeadgateError('HG_WORKER_FAILED', NONE)
    for (const ask of this.#workers.ask(this.#pipeline, question))
      try {
        const result = await ask()
        if (result !== undefined) return result
      } catch (thrown) {
        failed = thrown
      }
    throw failed
  }
}

const NONE = 'No worker runs that has the pipeline; they are being replaced.'

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0)

const inOrder = (partitions: readonly PartitionProgress[]): PartitionProgress[] =>
  partitions.toSorted((one, other) => one.topic.localeCompare(other.topic) || one.partition - other.partition)

function together(one: AcknowledgerState, other: AcknowledgerState): AcknowledgerState {
  return {
    active: one.active + other.active,
    isHeld: one.isHeld || other.isHeld,
    isDown: one.isDown || other.isDown,
    limit: one.limit === undefined || other.limit === undefined ? undefined : one.limit + other.limit,
    pausedFor: Math.max(one.pausedFor, other.pausedFor),
  }
}
