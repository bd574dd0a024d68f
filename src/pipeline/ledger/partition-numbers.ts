import type { Database } from 'lmdb'

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
}

export function openPartitionNumbers(table: Database<[string, number], number>): PartitionNumbers {
  const partitions: TopicPartition[] = []
  const topics = new Map<string, number[]>()
  const learn = (number: number, topic: string, partition: number): void => {
    partitions[number] = { topic, partition }
    const numbers = topics.get(topic) ?? []
    topics.set(topic, numbers)
    numbers[partition] = number
  }
  const known = (topic: string, partition: number): number | undefined => topics.get(topic)?.[partition]
  for (const { key, value } of table.getRange({ start: 1 })) learn(key, ...value)

  return {
    known,
    of(topic, partition) {
      let number = known(topic, partition)
      if (number === undefined) {
        number = Math.max(1, partitions.length)
        learn(number, topic, partition)
        // At once: rows that name the number must never be found without it.
        table.putSync(number, [topic, partition])
      }
      return number
    },
    at: (number) => partitions[number],
    numbers: () => [...partitions.keys()].filter((number) => number in partitions),
  }
}
