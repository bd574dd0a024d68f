import type { Event, Outcome, RecordLog } from '../contract/index.js'
import type {
  Ledger,
  LedgerBacklog,
  LedgerReport,
  LedgerTerms,
  PartitionProgress,
  SharedInstances,
} from '../ledger/ledger.js'
import type { FailureReason, PendingAck, StageAfter } from '../ledger/rows.js'
import type { InboxLedger } from './inbox-ledger.js'

/** The ledger of a pipeline whose source has several topics: one ledger for each of them. */
export class TopicLedgers implements Ledger {
  readonly #ledgers: readonly InboxLedger[]
  readonly #owners = new WeakMap<PendingAck, InboxLedger>()
  /** Each is the first in its turn. */
  #first = 0

  constructor(ledgers: readonly InboxLedger[]) {
    this.#ledgers = ledgers
  }

  async start(): Promise<void> {
    await this.#all((ledger) => ledger.start())
  }

  async finish(): Promise<void> {
    await this.#all((ledger) => ledger.finish())
  }

  async stop(): Promise<void> {
    await this.#all((ledger) => ledger.stop())
  }

  notReady(): readonly string[] {
    return this.#ledgers.flatMap((ledger) => ledger.notReady())
  }

  async ready(): Promise<void> {
    await this.#all((ledger) => ledger.ready())
  }

  once(_event: Event, deliver: (digest: string) => Promise<Outcome>, digest = ''): Promise<Outcome> {
    return deliver(digest)
  }

  findWritten(): undefined {
    return undefined
  }

  now(): number {
    return (this.#ledgers[0] as InboxLedger).now()
  }

  take(stage: number, now: number, newOnly?: boolean): PendingAck | undefined {
    for (let turn = 0; turn < this.#ledgers.length; turn++) {
      this.#first = (this.#first + 1) % this.#ledgers.length
      const ledger = this.#ledgers[this.#first] as InboxLedger
      const pending = ledger.take(stage, now, newOnly)
      if (pending === undefined) continue
      this.#owners.set(pending, ledger)
      return pending
    }
    return undefined
  }

  acknowledged(pending: PendingAck): void {
    this.#owners.get(pending)?.acknowledged(pending)
  }

  retry(pending: PendingAck, dueAt: number): void {
    this.#owners.get(pending)?.retry(pending, dueAt)
  }

  failed(pending: PendingAck, reason: FailureReason): void {
    this.#owners.get(pending)?.failed(pending, reason)
  }

  dueAt(stage: number, newOnly?: boolean): number | undefined {
    const due = this.#ledgers.flatMap((ledger) => ledger.dueAt(stage, newOnly) ?? [])
    return due.length === 0 ? undefined : Math.min(...due)
  }

  async refill(): Promise<void> {
    await this.#all((ledger) => ledger.refill())
  }

  onAdded(stage: number, wake: () => void): void {
    for (const ledger of this.#ledgers) ledger.onAdded(stage, wake)
  }

  backlog(): LedgerBacklog {
    const backlogs = this.#ledgers.map((ledger) => ledger.backlog())
    const spans = backlogs.flatMap(({ dedupSpan }) => dedupSpan ?? [])
    const sum = (of: (backlog: LedgerBacklog) => number) => backlogs.reduce((all, each) => all + of(each), 0)
    return {
      count: sum(({ count }) => count),
      oldestAge: Math.max(...backlogs.map(({ oldestAge }) => oldestAge)),
      failed: Math.max(...backlogs.map(({ failed }) => failed)),
      dedupSpan: spans.length === 0 ? undefined : Math.min(...spans),
      replacedPartitions: 0,
      unprovenRecords: 0,
      sameIdOtherBytes: sum(({ sameIdOtherBytes }) => sameIdOtherBytes),
    }
  }

  async catchUp(log: RecordLog): Promise<void> {
    await this.#all((ledger) => ledger.catchUp(log))
  }

  canMoveTo(log: RecordLog | undefined): boolean {
    return this.#ledgers.every((ledger) => ledger.canMoveTo(log))
  }

  change(terms: LedgerTerms, stageAfter: StageAfter | undefined): void {
    for (const ledger of this.#ledgers) ledger.change(terms, stageAfter)
  }

  async report(ownOnly?: boolean): Promise<LedgerReport> {
    const reports = await Promise.all(this.#ledgers.map((ledger) => ledger.report(ownOnly)))
    const [first] = reports as [LedgerReport]
    return {
      pending: first.pending.map(({ age }, at) => ({
        age,
        count: reports.reduce((all, { pending }) => all + (pending[at]?.count ?? 0), 0),
      })),
      failed: first.failed,
      partitions: this.partitions(),
      remembersSince: Math.max(...reports.map(({ remembersSince }) => remembersSince)),
    }
  }

  /** Each topic has a group of its own. */
  async instances(): Promise<SharedInstances> {
    const groups = await Promise.all(this.#ledgers.map((ledger) => ledger.instances()))
    const [first] = groups as [SharedInstances]
    const instances = groups.flatMap((group) => group.instances ?? [])
    return {
      ...first,
      ...(first.instances !== undefined && { instances: [...new Set(instances)].sort() }),
      partitions: groups.flatMap(({ partitions }) => partitions),
    }
  }

  partitions(): readonly PartitionProgress[] {
    return this.#ledgers.flatMap((ledger) => ledger.partitions())
  }

  /** All of them keep their failed acknowledgements in one topic. */
  retryFailed(): Promise<number> {
    return (this.#ledgers[0] as InboxLedger).retryFailed()
  }

  async #all(task: (ledger: InboxLedger) => Promise<void>): Promise<void> {
    await Promise.all(this.#ledgers.map(task))
  }
}
