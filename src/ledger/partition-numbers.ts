import type { Table } from './checked-tables.js'
import { createDirtyKeys } from './dirty-keys.js'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Partitions by numbers of ours, from 1 on, so that their names are not in every row. */
export interface PartitionNumbers {
  /** Gives a number where there is none. */
  of(topic: string, partition: number): number
  known(topic: string, partition: number): number | undefined
  /** The log of a partition has been replaced, or is gone: the partition gets a new number when it is next asked for. */
  retire(topic: string, partition: number): void
  /** Whether it is the number of a partition as it is now. */
  isCurrent(number: number): boolean
  at(number: number): TopicPartition | undefined
  /** Of the partitions as they are now. */
  numbers(): readonly number[]
  /** Those of logs that have been replaced too: acknowledgements of their records may be owed. */
  all(): readonly number[]
  hasNews(): boolean
  /** Puts what is new into the table. To be called in the transaction of the first rows that name a partition, or before. */
  write(): void
  /** The transaction has succeeded. */
  written(): void
}

/** `retired` only when it is. */
type NumberRow = readonly [topic: string, partition: number, retired?: true]

export function openPartitionNumbers(table: Table<NumberRow, number>): PartitionNumbers {
  const partitions: TopicPartition[] = []
  const topics = new Map<string, number[]>()
  const current: boolean[] = []
  const dirty = createDirtyKeys<number>()
  const learn = (number: number, topic: string, partition: number): void => {
    partitions[number] = { topic, partition }
    const numbers = topics.get(topic) ?? []
    topics.set(topic, numbers)
    numbers[partition] = number
    current[number] = true
  }
  const forget = (number: number, topic: string, partition: number): void => {
    current[number] = false
    delete topics.get(topic)?.[partition]
  }
  const known = (topic: string, partition: number): number | undefined => topics.get(topic)?.[partition]
  for (const { key, value } of table.getRange({ start: 1 })) {
    const [topic, partition, retired] = value
    learn(key, topic, partition)
    if (retired) forget(key, topic, partition)
  }

  return {
    known,
    of(topic, partition) {
      let number = known(topic, partition)
      if (number === undefined) {
        number = Math.max(1, partitions.length)
        learn(number, topic, partition)
        dirty.add(number)
      }
      return number
    },
    retire(topic, partition) {
      const number = known(topic, partition)
      if (number === undefined) return
      forget(number, topic, partition)
      dirty.add(number)
    },
    isCurrent: (number) => current[number] === true,
    at: (number) => partitions[number],
    numbers: () => [...current.keys()].filter((number) => current[number]),
    all: () => [...partitions.keys()].filter((number) => number in partitions),
    hasNews: dirty.hasNews,
    write() {
      for (const number of dirty.take()) {
        const { topic, partition } = partitions[number] as TopicPartition
        table.put(number, current[number] ? [topic, partition] : [topic, partition, true])
      }
    },
    written: dirty.written,
  }
}
