import { HeadgateError } from '../../../src/contract/errors.js'
import type {
  Inbox,
  InboxBounds,
  InboxGroup,
  InboxMember,
  InboxOffsets,
  InboxPoll,
  LoggedRecord,
  SinkRecord,
  TransactionResult,
} from '../../../src/contract/index.js'
import { javaPartition } from './murmur2.js'

export const INBOX = 'inbox'
/** Milliseconds. */
export const RETENTION = 691_200_000

/** The end of the next transaction of a member. */
export type Fault =
  | 'unavailable'
  /** The member dies before, or after, its transaction is committed: its call never returns. */
  | 'dies-before'
  | 'dies-after'
  /** The session of the member ends during the transaction. */
  | 'expires'

/** A group, its inbox and the topics that it writes to, in memory. It outlives the members. */
export class MemoryInbox {
  readonly partitions: LoggedRecord[][]
  /** Records of committed transactions, in their order. */
  readonly written: SinkRecord[] = []
  readonly committed = new Map<number, number>()
  readonly acknowledged = new Map<number, number>()
  readonly members: MemoryMember[] = []
  /** The member that may commit an offset of a partition. */
  readonly owners = new Map<number, MemoryMember>()
  /** Polls take a turn of the event loop, as those of a real one do: for loops that poll without end. */
  isPaced = false

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, () => [])
  }

  /** Returns the place of the record. */
  accept({ key, value, headers }: SinkRecord, timestamp = Date.now()): { partition: number; offset: number } {
    const partition = javaPartition(key as Buffer, this.partitions.length)
    const records = this.partitions[partition] as LoggedRecord[]
    const offset = records.length
    records.push({
      topic: INBOX,
      partition,
      offset,
      timestamp,
      key,
      value,
      header: (name) => headers.find((header) => header.name === name)?.value,
      headers: () => headers,
    })
    return { partition, offset }
  }

  /** As the instances get it. */
  get offered(): Inbox {
    return {
      send: async (record) => ({ topic: INBOX, ...this.accept(record) }),
      status: async () => 'begun',
      reuse: async () => {},
      join: async () => this.join(),
    }
  }

  join(): MemoryMember {
    const member = new MemoryMember(this)
    this.members.push(member)
    return member
  }

  /** The partitions that a member should own, spread evenly over all members. */
  target(member: MemoryMember): number[] {
    const index = this.members.indexOf(member)
    return index === -1
      ? []
      : [...this.partitions.keys()].filter((partition) => partition % this.members.length === index)
  }

  /** The group takes its partitions away; a member that still runs joins again with its next poll. */
  expire(member: MemoryMember): void {
    const index = this.members.indexOf(member)
    if (index !== -1) this.members.splice(index, 1)
    for (const [partition, owner] of this.owners) if (owner === member) this.owners.delete(partition)
  }
}

export class MemoryMember implements InboxMember {
  readonly #inbox: MemoryInbox
  readonly #positions = new Map<number, number>()
  /** As of the last poll of each partition. */
  readonly #ends = new Map<number, number>()
  readonly #resumed = new Set<number>()
  fault: Fault | undefined
  isDead = false
  readonly #held: (() => void)[] = []
  isHeld = false

  constructor(inbox: MemoryInbox) {
    this.#inbox = inbox
  }

  get partitions(): number {
    return this.#inbox.partitions.length
  }

  /** It reads from the start again, as after an offset that its broker does not have (`auto.offset.reset`). */
  rewind(): void {
    for (const partition of this.#positions.keys()) this.#positions.set(partition, 0)
  }

  /** Responses to `bounds` wait until `release`. */
  hold(): void {
    this.isHeld = true
  }

  /** The newest first: nothing promises an order. */
  release(): void {
    this.isHeld = false
    for (const release of this.#held.splice(0).reverse()) release()
  }

  end(partition: number): number | undefined {
    return this.#ends.get(partition)
  }

  async ends(partitions: readonly number[]): Promise<InboxOffsets> {
    return new Map(partitions.map((partition) => [partition, this.#inbox.partitions[partition]?.length ?? 0]))
  }

  async retention(): Promise<number> {
    return RETENTION
  }

  async progress(): Promise<InboxGroup> {
    const { partitions, committed, acknowledged, owners, members } = this.#inbox
    const nameOf = (member: MemoryMember) => `host/${members.indexOf(member)}`
    return {
      own: nameOf(this),
      instances: members.map(nameOf),
      partitions: partitions.map((records, partition) => {
        const workedOff = committed.get(partition) ?? 0
        const position = acknowledged.get(partition) ?? 0
        const owner = owners.get(partition)
        return {
          partition,
          ...(owner !== undefined && { owner: nameOf(owner) }),
          notWorkedOff: records.length - workedOff,
          notAcknowledged: workedOff - position,
          ...(position < records.length && { oldestAt: records[position]?.timestamp as number }),
        }
      }),
    }
  }

  async poll(limit: number): Promise<InboxPoll> {
    if (this.#inbox.isPaced) await new Promise((resolve) => setImmediate(resolve))
    const { members, owners, committed, partitions } = this.#inbox
    const isLost = !members.includes(this)
    const target = isLost ? [] : this.#inbox.target(this)
    const revoked = [...this.#positions.keys()].filter((partition) => isLost || !target.includes(partition))
    for (const partition of revoked) {
      this.#positions.delete(partition)
      this.#resumed.delete(partition)
      if (owners.get(partition) === this) owners.delete(partition)
    }
    if (isLost) members.push(this)
    const assigned = target.filter((partition) => !owners.has(partition))
    for (const partition of assigned) {
      owners.set(partition, this)
      this.#positions.set(partition, committed.get(partition) ?? 0)
    }
    const records: LoggedRecord[] = []
    for (const partition of this.#resumed) {
      const position = this.#positions.get(partition) as number
      const next = (partitions[partition] as LoggedRecord[]).slice(
        position,
        position + limit - records.length,
      )
      records.push(...next)
      this.#positions.set(partition, position + next.length)
      this.#ends.set(partition, partitions[partition]?.length ?? 0)
    }
    return { assigned, revoked, records }
  }

  resume(partition: number): void {
    if (this.#positions.has(partition)) this.#resumed.add(partition)
  }

  pause(partition: number): void {
    this.#resumed.delete(partition)
  }

  async bounds(partition: number): Promise<InboxBounds> {
    const { partitions, committed, acknowledged } = this.#inbox
    const bounds = {
      start: 0,
      end: (partitions[partition] as LoggedRecord[]).length,
      committed: committed.get(partition) ?? 0,
      acknowledged: acknowledged.get(partition),
    }
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve))
    return bounds
  }

  async offsetAt(partition: number, timestamp: number): Promise<number> {
    const records = this.#inbox.partitions[partition] as LoggedRecord[]
    return records.find((record) => record.timestamp >= timestamp)?.offset ?? records.length
  }

  async read(
    partition: number,
    from: number,
    to: number,
    visit: (record: LoggedRecord) => void,
  ): Promise<void> {
    for (const record of (this.#inbox.partitions[partition] as LoggedRecord[]).slice(from, to)) visit(record)
  }

  async transaction(records: readonly SinkRecord[], offsets: InboxOffsets): Promise<TransactionResult> {
    const { fault } = this
    this.fault = undefined
    if (fault === 'unavailable') return { kind: 'unavailable', error: UNREACHABLE }
    if (fault === 'dies-before') return this.#die()
    if (fault === 'expires') this.#inbox.expire(this)
    const { owners, committed, written } = this.#inbox
    if ([...offsets.keys()].some((partition) => owners.get(partition) !== this)) return { kind: 'fenced' }
    const tooLarge = records.findIndex(isTooLarge)
    // A broker refuses a batch as a whole, and names all of its records.
    if (tooLarge !== -1) return { kind: 'refused', index: 0, error: TOO_LARGE }
    for (const [partition, offset] of offsets) {
      if (offset <= (committed.get(partition) ?? 0)) throw new Error('A committed offset went back.')
      committed.set(partition, offset)
    }
    written.push(...records)
    return fault === 'dies-after' ? this.#die() : { kind: 'committed' }
  }

  async acknowledged(offsets: InboxOffsets): Promise<void> {
    for (const [partition, offset] of offsets) this.#inbox.acknowledged.set(partition, offset)
  }

  async leave(): Promise<void> {
    this.#inbox.expire(this)
  }

  #die(): Promise<never> {
    this.isDead = true
    this.#inbox.expire(this)
    return new Promise(() => {})
  }
}

const isTooLarge = ({ target, value }: SinkRecord): boolean =>
  target.topic !== 'dead' && value.includes('too large')

const UNREACHABLE = new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is not reachable.')
const TOO_LARGE = new HeadgateError('HG_RECORD_TOO_LARGE', 'The record is too large.')
