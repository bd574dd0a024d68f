import type { Log, OffsetRange, RecordLog } from '../contract/index.js'
import { newestRecords } from '../ledger/catch-up.js'
import { claimOf, isReplay } from '../ledger/claim.js'
import { identityOf } from '../ledger/identity.js'
import type { LedgerTerms } from '../ledger/ledger.js'
import { partitionOf } from '../lib/murmur2.js'
import type { PartitionIndex } from './partition-index.js'

export interface EarlierEventsOptions {
  readonly pipeline: string
  /** The inbox itself is among the targets of the sink. */
  readonly topic: string
  /** Of the inbox. */
  readonly partitions: number
  terms(): Pick<LedgerTerms, 'mac' | 'by' | 'entries'>
  readonly log: RecordLog
  readonly logger: Log
}

/**
 * The events that a pipeline wrote before it had its inbox. Only the target topics have them, below the positions that its
 * group had when the inbox began (`beginInbox`). Each belongs to the partition of the inbox that its id decides.
 */
export class EarlierEvents {
  readonly #options: EarlierEventsOptions
  #waiting = new Map<number, PartitionIndex>()
  #since = Number.POSITIVE_INFINITY
  #next: Promise<void> | undefined
  #reading: Promise<void> = Promise.resolve()
  /** There are none since then, and there will be none. */
  #noneSince = Number.POSITIVE_INFINITY

  constructor(options: EarlierEventsOptions) {
    this.#options = options
  }

  /**
   * Adds those since then to the index of a partition. Partitions that come while the topics are read share the next read.
   * Rejects if the topics cannot be read.
   */
  addTo(index: PartitionIndex, partition: number, since: number): Promise<void> {
    // A target that is out of reach must not hold up a takeover for nothing.
    if (since >= this.#noneSince) return Promise.resolve()
    this.#waiting.set(partition, index)
    this.#since = Math.min(this.#since, since)
    this.#next ??= this.#reading.catch(() => {}).then(() => this.#begin())
    return this.#next
  }

  #begin(): Promise<void> {
    const [indexes, since] = [this.#waiting, this.#since]
    this.#waiting = new Map()
    this.#since = Number.POSITIVE_INFINITY
    this.#next = undefined
    this.#reading = this.#read(indexes, since)
    return this.#reading
  }

  async #read(indexes: ReadonlyMap<number, PartitionIndex>, since: number): Promise<void> {
    const { log, logger, pipeline, partitions, terms } = this.#options
    const { mac, by, entries } = terms()
    let [events, unproven] = [0, 0]
    const options = { pipeline, macs: [mac], onUnproven: () => unproven++ }
    const ranges = await this.#ranges(since, entries)
    if (ranges.length === 0) {
      this.#noneSince = Math.min(this.#noneSince, since)
      return
    }
    await log.readBetween(ranges, (record) => {
      const claim = isReplay(record) ? undefined : claimOf(record, options)
      if (claim?.proven !== true) return
      const index = indexes.get(partitionOf(Buffer.from(claim.id), partitions))
      if (index === undefined) return
      index.insert(identityOf(claim.digest, claim.id, by), record.timestamp)
      events++
    })
    if (events > 0)
      logger.info({ events }, 'events from before the inbox will be recognised when they come again')
    if (unproven > 0)
      logger.warn(
        { records: unproven },
        'records name this pipeline, and nothing proves that it wrote them: redeliveries of their events are written again',
      )
  }

  async #ranges(since: number, entries: number): Promise<readonly OffsetRange[]> {
    const { log, topic } = this.#options
    const before = (await log.partitions()).flatMap((at) =>
      at.topic === topic || at.committed === undefined || at.committed <= at.start
        ? []
        : [{ ...at, end: Math.min(at.committed, at.end) }],
    )
    if (before.length === 0) return []
    const window = Date.now() - since
    const offsets = await newestRecords(before, { log: () => log, window, entries })
    const ranges = before.map(({ topic, partition, end }, at) => ({
      ...{ topic, partition, end },
      offset: offsets[at] ?? end,
    }))
    return ranges.filter(({ offset, end }) => offset < end)
  }
}
