import type { TopicPartition } from '../consumer.js'
import type { LogReader } from '../log-reader.js'
import { isGroupRefused } from './requirements.js'

/**
 * Its positions are the ends that an inbox had when the pipeline went on without it. They tell that this was done, until an
 * instance works the inbox off again.
 */
export const leftGroup = (group: string): string => `${group}.left-inbox`

/** Where the pipeline left its inbox; undefined for a partition that it never left. In the order of `partitions`. */
export async function leftAt(
  groups: Pick<LogReader['groups'], 'committed'>,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<(number | undefined)[]> {
  try {
    const left = await groups.committed(leftGroup(group), partitions)
    return left.map(({ offset }) => offset)
  } catch (thrown) {
    // Only a pipeline that leaves an inbox needs the right.
    if (isGroupRefused(thrown)) return partitions.map(() => undefined)
    throw thrown
  }
}
