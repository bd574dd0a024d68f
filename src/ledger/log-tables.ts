import type { LogPartition } from '../contract/index.js'
import { DirtyKeys, type Table } from './checked-tables.js'
import type { AckKey } from './rows.js'

// Tables about the log that the state describes. Each is changed in memory. `write` puts the changes into the table, within a transaction;
// `written` tells that the transaction has succeeded.

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `retired` only if it is. */
type NumberRow = readonly [topic: string, partition: number, retired?: true]

/** Numbers for partitions, from 1 on, so that rows do not repeat their names. */
export class PartitionNumbers {
  readonly #table: Table<NumberRow, number>
  readonly #partitions: TopicPartition[] = []
  readonly #topics = new Map<string, number[]>()
  readonly #current: boolean[] = []
  readonly #dirty = new DirtyKeys<number>()

  constructor(table: Table<NumberRow, number>) {
    this.#table = table
    for (const { key, value } of table.getRange({ start: 1 })) {
      const [topic, partition, retired] = value
      this.#add(key, topic, partition)
      if (retired) this.#remove(key, topic, partition)
    }
  }

  get isDirty(): boolean {
    return !this.#dirty.isEmpty
  }

  find(topic: string, partition: number): number | undefined {
    return this.#topics.get(topic)?.[partition]
  }

  /** Assigns a number if the partition has none. */
  numberOf(topic: string, partition: number): number {
    let number = this.find(topic, partition)
    if (number === undefined) {
      number = Math.max(1, this.#partitions.length)
      this.#add(number, topic, partition)
      this.#dirty.add(number)
    }
    return number
  }

  /** The log of a partition was replaced, or is gone: the partition gets a new number when it needs one. */
  retire(topic: string, partition: number): void {
    const number = this.find(topic, partition)
    if (number === undefined) return
    this.#remove(number, topic, partition)
    this.#dirty.add(number)
  }

  /** Whether it is the number of a partition with the log that it has now. */
  isCurrent(number: number): boolean {
    return this.#current[number] === true
  }

  partitionOf(number: number): TopicPartition | undefined {
    return this.#partitions[number]
  }

  /** The numbers of partitions with the logs that they have now. */
  current(): readonly number[] {
    return [...this.#current.keys()].filter((number) => this.#current[number])
  }

  /** Those of replaced logs too: acknowledgements of their records may be pending. */
  all(): readonly number[] {
    return [...this.#partitions.keys()].filter((number) => number in this.#partitions)
  }

  /** In the transaction of the first rows that name a partition, or before. */
  write(): void {
    for (const number of this.#dirty.take()) {
      const { topic, partition } = this.#partitions[number] as TopicPartition
      this.#table.put(number, this.#current[number] ? [topic, partition] : [topic, partition, true])
    }
  }

  written(): void {
    this.#dirty.written()
  }

  #add(number: number, topic: string, partition: number): void {
    this.#partitions[number] = { topic, partition }
    const numbers = this.#topics.get(topic) ?? []
    this.#topics.set(topic, numbers)
    numbers[partition] = number
    this.#current[number] = true
  }

  #remove(number: number, topic: string, partition: number): void {
    this.#current[number] = false
    delete this.#topics.get(topic)?.[partition]
  }
}

/** A record that is at an offset of the log. */
export interface LogMark {
  readonly offset: number
  /** The identity of its event, as far as it is stored. */
  readonly identity: string
}

/** The identity of a topic, or, by the number of a partition, its mark. */
type MarkRow = string | readonly [offset: number, identity: Buffer]

/** The data by which the log that the index describes is told from another log of the same name. */
export class LogMarks {
  readonly #table: Table<MarkRow, string | number>
  readonly #numbers: PartitionNumbers
  readonly #topicIdentities = new Map<string, string>()
  /** By the number of the partition. Two arrays, so that an event does not allocate an object. */
  readonly #offsets: number[] = []
  readonly #identities: string[] = []
  readonly #dirty = new DirtyKeys<string | number>()

  constructor(table: Table<MarkRow, string | number>, numbers: PartitionNumbers) {
    this.#table = table
    this.#numbers = numbers
    for (const { key, value } of table.getRange({})) {
      if (typeof value === 'string') this.#topicIdentities.set(String(key), value)
      else {
        this.#offsets[Number(key)] = value[0]
        this.#identities[Number(key)] = value[1].toString('latin1')
      }
    }
  }

  get isDirty(): boolean {
    return !this.#dirty.isEmpty
  }

  /** The identity that the sink reported when the log was last read; undefined if it could not. */
  identityOf(topic: string): string | undefined {
    return this.#topicIdentities.get(topic)
  }

  setIdentity(topic: string, identity: string): void {
    this.#topicIdentities.set(topic, identity)
    this.#dirty.add(topic)
  }

  /** A record of the partition near its end. */
  markOf({ topic, partition }: Pick<LogPartition, 'topic' | 'partition'>): LogMark | undefined {
    const number = this.#numbers.find(topic, partition)
    const identity = number === undefined ? undefined : this.#identities[number]
    return identity === undefined
      ? undefined
      : { offset: this.#offsets[number as number] as number, identity }
  }

  /** The record at `key` is of the event with this identity. */
  mark(identity: string, [number, offset]: AckKey): void {
    this.#offsets[number] = offset
    this.#identities[number] = identity
    this.#dirty.add(number)
  }

  /** Drops the marks: identities are computed in another way now. */
  clear(): void {
    for (const number of Object.keys(this.#identities)) delete this.#identities[Number(number)]
  }

  /** The topics that the state knows partitions of. */
  topics(): readonly string[] {
    return [
      ...new Set(this.#numbers.current().flatMap((number) => this.#numbers.partitionOf(number)?.topic ?? [])),
    ]
  }

  /** The partitions of a topic that the state knows. */
  partitions(topic: string): readonly number[] {
    return this.#numbers.current().flatMap((number) => {
      const at = this.#numbers.partitionOf(number)
      return at?.topic === topic ? [at.partition] : []
    })
  }

  /** Drops all that the state knows of a partition whose log is gone. Pending acknowledgements of its records stay. */
  forget(topic: string, partition: number): void {
    this.#numbers.retire(topic, partition)
  }

  write(): void {
    for (const key of this.#dirty.take()) {
      if (typeof key === 'string') this.#table.put(key, this.#topicIdentities.get(key) as string)
      else if (this.#identities[key] !== undefined)
        this.#table.put(key, [
          this.#offsets[key] as number,
          Buffer.from(this.#identities[key] as string, 'latin1'),
        ])
    }
  }

  written(): void {
    this.#dirty.written()
  }
}

const KEYS = 'keys'
const UNPROVEN = 'unproven'
const MAX_KEYS = 8

/** The data by which records of this pipeline are told from those of others. */
export class StoredProofs {
  readonly #table: Table<readonly string[] | number, string>
  #keys: readonly string[]
  #unprovenAt: number | undefined
  readonly #dirty = new DirtyKeys<string>()

  constructor(table: Table<readonly string[] | number, string>) {
    this.#table = table
    this.#keys = (table.get(KEYS) ?? []) as readonly string[]
    this.#unprovenAt = table.get(UNPROVEN) as number | undefined
  }

  get isDirty(): boolean {
    return !this.#dirty.isEmpty
  }

  /** The keys by which records have been proven, those from before a change of the secret included; the newest last. */
  get keys(): readonly string[] {
    return this.#keys
  }

  addKey(key: string): void {
    if (this.#keys.at(-1) === key) return
    this.#keys = [...this.#keys.filter((other) => other !== key), key].slice(-MAX_KEYS)
    this.#dirty.add(KEYS)
  }

  /** When the last unproven record was found, on the clock of the ledger. */
  get unprovenAt(): number | undefined {
    return this.#unprovenAt
  }

  noteUnproven(now: number): void {
    this.#unprovenAt = now
    this.#dirty.add(UNPROVEN)
  }

  write(): void {
    for (const key of this.#dirty.take())
      this.#table.put(key, key === KEYS ? this.#keys : (this.#unprovenAt as number))
  }

  written(): void {
    this.#dirty.written()
  }
}
