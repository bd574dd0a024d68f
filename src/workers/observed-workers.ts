import type { WorkersLedger } from '../pipeline/pipeline.js'
import { type AskedWorkers, MergedLedger } from './ledger-results.js'
import type { LedgerQuestion, LedgerResults, NotReady, Report } from './messages.js'
import type { WorkerProcess } from './process.js'

/** Milliseconds. Failed acknowledgements are read from a topic. */
const LEDGER_TIMEOUT = 60_000

/** The workers that run, as operators see them: by their last reports, and by what they respond to questions. */
export class ObservedWorkers implements AskedWorkers {
  readonly #running: () => readonly WorkerProcess[]
  readonly #last = new WeakMap<WorkerProcess, Report>()

  constructor(running: () => readonly WorkerProcess[]) {
    this.#running = running
  }

  reported(worker: WorkerProcess, report: Report): void {
    this.#last.set(worker, report)
  }

  /** The last one of each; undefined before its first. */
  reports(): (Report | undefined)[] {
    return this.#running().map((worker) => this.#last.get(worker))
  }

  /** Bound: can be passed as a function. */
  readonly ledgerOf = (pipeline: string): WorkersLedger => new MergedLedger(pipeline, this)

  ask<Question extends LedgerQuestion>(
    pipeline: string,
    question: Question,
  ): (() => Promise<LedgerResults[Question] | undefined>)[] {
    const bySlot = this.#running().toSorted((one, other) => one.slot - other.slot)
    return bySlot.map((worker) => async () => {
      const response = await worker.request({ kind: 'ledger', pipeline, question }, LEDGER_TIMEOUT)
      return response?.result as LedgerResults[Question] | undefined
    })
  }

  pids(): readonly number[] {
    return this.#running().flatMap(({ pid }) => pid ?? [])
  }

  notReady(): readonly NotReady[] {
    return this.reports().flatMap((report) => report?.notReady ?? [])
  }

  /** The same in sentences, with the worker. */
  reasons(): readonly string[] {
    return this.#running().flatMap((worker) =>
      (this.#last.get(worker)?.notReady ?? []).map(
        ({ pipeline, reason }) => `worker ${worker.slot}: ${pipeline}: ${reason}`,
      ),
    )
  }
}
