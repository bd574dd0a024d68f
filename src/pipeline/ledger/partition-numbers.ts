import type { Table } from './checked-tables.js'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Partitions by numbers of ours, from 1 on, so that their names are not in every row. */
export interface PartitionNumbers {
  /** Gives a number where there is none. */
  of(topic: string, partition: number): number
  known(topic: string, partition: number): number | undefined
  at(number: number): TopicPartition | undefined
  numbers(): readonly number[]
  hasNews(): boolean
  /** Puts those that are new into the table. To be called in the transaction of the first rows that name them, or before. */
  write(): void
  /** The transaction has succeeded. */
  written(): void
}

export function openPartitionNumbers(table: Table<[string, number], number>): PartitionNumbers {
  const partitions: TopicPartition[] = []
  const topics = new Map<string, number[]>()
  /** Partitions up to here are in the table, and up to there in the transaction that is under way. */
  let writtenTo = 0
  let writing = 0
  const learn = (number: number, topic: string, partition: number): void => {
    partitions[number] = { topic, partition }
    const numbers = topics.get(topic) ?? []
    topics.set(topic, numbers)
    numbers[partition] = number
  }
  const known = (topic: string, partition: number): number | undefined => topics.get(topic)?.[partition]
  for (const { key, value } of table.getRange({ start: 1 })) learn(key, ...value)
  writtenTo = partitions.length

  return {
    known,
    of(topic, partition) {
      let number = known(topic, partition)
      if (number === undefined) {
        number = Math.max(1, partitions.length)
        learn(number, topic, partition)
      }
      return number
    },
    at: (number) => partitions[number],
    numbers: () => [...partitions.keys()].filter((number) => number in partitions),
    hasNews: () => partitions.length > writtenTo,
    write() {
      writing = partitions.length
      for (let number = Math.max(1, writtenTo); number < writing; number++) {
        const { topic, partition } = partitions[number] as TopicPartition
        table.put(number, [topic, partition])
      }
    },
    written() {
      writtenTo = writing
    },
  }
}
