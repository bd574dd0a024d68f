import { HeadgateError } from '../../../../contract/errors.js'
import type { Log } from '../../../../contract/index.js'
import { START } from '../log/consumer.js'
import type { LogReader } from '../log/log-reader.js'

export interface PartitionsInUseOptions {
  readonly topic: string
  readonly group: string
  readonly reader: {
    readonly requests: LogReader['requests']
    readonly groups: Pick<LogReader['groups'], 'committed' | 'commit'>
  }
  readonly log: Log
}

/** Its lag is the acknowledgements that are pending. */
export const acknowledgedGroup = (group: string): string => `${group}.acknowledged`

/**
 * How many partitions of its topic an inbox uses: as many as the topic had when the inbox began. If the topic grew and this
 * number with it, an id would move to another partition, whose owner does not know its earlier deliveries.
 *
 * The committed positions of the acknowledged group keep the number: each instance commits one for every partition that it
 * owns, and owns none beyond the number. They live as long as the positions that the instances need anyway.
 */
export async function partitionsInUse(options: PartitionsInUseOptions): Promise<number> {
  const { topic, reader, group, log } = options
  const count = await reader.requests.use((consumer) => consumer.partitions(topic))
  if (count === 0) throw new HeadgateError('HG_KAFKA_TOPIC_MISSING', `Topic "${topic}" does not exist.`)
  const used = await committedPartitions(options, count)
  if (used === 0) {
    const starts = await reader.requests.use((consumer) =>
      consumer.offsets(partitionsOf(topic, count), START),
    )
    await reader.groups.commit(acknowledgedGroup(group), starts)
    // Another instance may have begun with another number meanwhile: the positions of both tell both the same.
    return partitionsInUse(options)
  }
  if (used < count) warnOfUnused(log, topic, used)
  return used
}

export const warnOfUnused = (log: Log, topic: string, used: number): void =>
  log.warn(
    { topic, partitions: used },
    `the topic of the inbox has more partitions than the ${used} with which the inbox began; the others stay unused, because the ids of events would move. docs/scaling.md says how to use them`,
  )

/** Behind the last partition that has a committed position. */
async function committedPartitions(
  { topic, reader, group }: PartitionsInUseOptions,
  count: number,
): Promise<number> {
  const committed = await reader.groups.committed(acknowledgedGroup(group), partitionsOf(topic, count))
  return committed.findLastIndex(({ offset }) => offset !== undefined) + 1
}

const partitionsOf = (topic: string, count: number) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }))
