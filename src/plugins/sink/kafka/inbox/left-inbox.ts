import type { TopicPartition } from '../log/consumer.js'
import type { LogReader } from '../log/log-reader.js'
import { isGroupRefused } from './requirements.js'

/**
 * Its positions are the ends that an inbox had when the pipeline went on without it. They tell that this was done, until an
 * instance works the inbox off again.
 */
export const leftGroup = (group: string): string => `${group}.left-inbox`

/** Beyond any position: the inbox was left, and is in use again. */
const NEVER = Number.MAX_SAFE_INTEGER

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

/** Nothing is committed if it was never left: only a pipeline that has left an inbox needs the right. */
export async function reuse(
  groups: Pick<LogReader['groups'], 'committed' | 'commit'>,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<void> {
  const left = await leftAt(groups, group, partitions)
  const marked = partitions.filter((_, at) => left[at] !== undefined)
  if (marked.length === 0) return
  await groups.commit(
    leftGroup(group),
    marked.map((at) => ({ ...at, offset: NEVER })),
  )
}
