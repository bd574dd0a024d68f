import { followTopics } from '../src/sandbox/reader.js'
import { TOPICS } from '../src/sandbox/routes.js'
import { digestOf } from './events.js'
import type { SeenRecord } from './verdict.js'

/** All records of the config's topics, without their values: those of a long run would not fit into memory. */
export async function readRecords(bootstrap: string): Promise<SeenRecord[]> {
  const topics = new Map(TOPICS.map((topic) => [topic, topic]))
  const records: SeenRecord[] = []
  const reader = await followTopics(
    bootstrap,
    TOPICS,
    ({ topic, partition, offset, key, value, timestamp, headers }) => {
      records.push({
        // One string for all, where the consumer makes one for each record.
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
