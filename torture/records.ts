import { followTopics } from '../src/sandbox/reader.js'
import { TOPICS } from '../src/sandbox/routes.js'
import { digestOf } from './events.js'

/** The parts of a record that the verdict needs. */
export interface SeenRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Its key. */
  readonly id: string | undefined
  /** Of its value. */
  readonly digest: string
  /** When its leader appended it, in milliseconds since 1970. */
  readonly appendedAt: number
  /** Of the config under which it was written: distinguishes two runs of Headgate. */
  readonly revision: string | undefined
}

export const placeOf = ({
  topic,
  partition,
  offset,
}: Pick<SeenRecord, 'topic' | 'partition' | 'offset'>): string => `${topic}/${partition}/${offset}`

/** All records of these topics, without their values: those of a long run would not fit into memory. */
export async function readRecords(
  bootstrap: string,
  from: readonly string[] = TOPICS,
): Promise<SeenRecord[]> {
  const topics = new Map(from.map((topic) => [topic, topic]))
  const records: SeenRecord[] = []
  const reader = await followTopics(
    bootstrap,
    from,
    ({ topic, partition, offset, key, value, timestamp, headers }) => {
      records.push({
        // One string for all: the consumer makes one for each record.
        topic: topics.get(topic) ?? topic,
        partition,
        offset,
        id: key?.toString(),
        digest: digestOf(value),
        appendedAt: timestamp,
        revision: headers['headgate-revision'],
      })
    },
  )
  try {
    await reader.caughtUp()
  } finally {
    await reader.close()
  }
  return records
}
