import type { LogPartition } from '../contract/index.js'
import type { Table } from './checked-tables.js'
import { createDirtyKeys } from './dirty-keys.js'
import type { PartitionNumbers } from './partition-numbers.js'
import type { OwedKey } from './rows.js'

/** A record that is known to be at an offset. */
export interface Mark {
  readonly offset: number
  /** As `identityOf` makes it, as far as it is kept. */
  readonly identity: string
}

/** What tells the log that the index describes from another one of the same name. */
export interface LogMarks {
  /** As the sink told it when the log was last read; undefined when it could not. */
  identityOf(topic: string): string | undefined
  setIdentity(topic: string, identity: string): void
  /** A record of the partition near its end. */
  of(partition: Pick<LogPartition, 'topic' | 'partition'>): Mark | undefined
  /** Forgets the marks: their identities are made in another way now. */
  clearMarks(): void
  /** The record at `key` is of this event. */
  mark(identity: string, key: OwedKey): void
  /** The topics that partitions are known of. */
  topics(): readonly string[]
  /** Forgets all that is known of a partition: its log is gone. What is owed for records of it stays owed. */
  forget(topic: string, partition: number): void
  /** The partitions of a topic that are known. */
  partitions(topic: string): readonly number[]
  hasNews(): boolean
  /** Within a transaction. */
  write(): void
  /** The transaction has succeeded. */
  written(): void
}

/** Of a topic its identity, of a partition, by its number, the mark. */
export type MarkRow = string | readonly [offset: number, identity: Buffer]

export function openLogMarks(table: Table<MarkRow, string | number>, numbers: PartitionNumbers): LogMarks {
  const topicIdentities = new Map<string, string>()
  /** By the number of their partition. Events come by the thousand: no object is made for one. */
  const offsets: number[] = []
  const identities: string[] = []
  const dirty = createDirtyKeys<string | number>()
  for (const { key, value } of table.getRange({})) {
    if (typeof value === 'string') topicIdentities.set(String(key), value)
    else {
      offsets[Number(key)] = value[0]
      identities[Number(key)] = value[1].toString('latin1')
    }
  }

  return {
    identityOf: (topic) => topicIdentities.get(topic),
    setIdentity(topic, identity) {
      topicIdentities.set(topic, identity)
      dirty.add(topic)
    },
    of({ topic, partition }) {
      const number = numbers.known(topic, partition)
      const identity = number === undefined ? undefined : identities[number]
      return identity === undefined ? undefined : { offset: offsets[number as number] as number, identity }
    },
    clearMarks() {
      for (const number of Object.keys(identities)) delete identities[Number(number)]
    },
    mark(identity, [number, offset]) {
      offsets[number] = offset
      identities[number] = identity
      dirty.add(number)
    },
    topics: () => [...new Set(numbers.numbers().flatMap((number) => numbers.at(number)?.topic ?? []))],
    forget: numbers.retire,
    partitions: (topic) =>
      numbers.numbers().flatMap((number) => {
        const at = numbers.at(number)
        return at?.topic === topic ? [at.partition] : []
      }),
    hasNews: dirty.hasNews,
    write() {
      for (const key of dirty.take()) {
        if (typeof key === 'string') table.put(key, topicIdentities.get(key) as string)
        else if (identities[key] !== undefined)
          table.put(key, [offsets[key] as number, Buffer.from(identities[key] as string, 'latin1')])
      }
    },
    written: dirty.written,
  }
}
