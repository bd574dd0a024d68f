import type { InboxGroup } from '../../../../contract/index.js'
import { END, START } from '../log/consumer.js'
import type { LogReader } from '../log/log-reader.js'
import { readRanges } from '../log/read.js'
import { instanceOf, OWN_INSTANCE } from '../properties.js'
import { acknowledgedGroup } from './partitions-in-use.js'

interface Positions {
  readonly partition: number
  /** Below it, everything is acknowledged. */
  readonly acknowledged: number
  readonly committed: number
  readonly end: number
}

export interface ProgressOptions {
  readonly topic: string
  readonly group: string
  readonly reader: LogReader
  readonly signal: AbortSignal
}

/** The state of the instances and partitions of an inbox, from the positions and members of its groups. */
export async function inboxProgress(options: ProgressOptions, partitions: number): Promise<InboxGroup> {
  const { group, reader, topic } = options
  const [positions, members] = await Promise.all([
    positionsOf(options, partitions),
    reader.groups.members(group),
  ])
  const owners = new Map<number, string>()
  for (const { clientId, assigned } of members ?? [])
    for (const each of assigned) if (each.topic === topic) owners.set(each.partition, instanceOf(clientId))
  const oldest = await oldestOf(options, positions)
  return {
    own: OWN_INSTANCE,
    ...(members !== undefined && {
      instances: [...new Set(members.map(({ clientId }) => instanceOf(clientId)))].sort(),
    }),
    partitions: positions.map(({ partition, acknowledged, committed, end }) => {
      const [owner, oldestAt] = [owners.get(partition), oldest.get(partition)]
      return {
        partition,
        ...(owner !== undefined && { owner }),
        notWorkedOff: end - committed,
        notAcknowledged: committed - acknowledged,
        ...(oldestAt !== undefined && { oldestAt }),
      }
    }),
  }
}

async function positionsOf(
  { topic, group, reader }: ProgressOptions,
  partitions: number,
): Promise<Positions[]> {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const committed = await reader.groups.committed(group, all)
  const acknowledged = await reader.groups.committed(acknowledgedGroup(group), all)
  // After the positions: none of them is beyond its end then.
  const [starts, ends] = await reader.requests.use((consumer) =>
    Promise.all([consumer.offsets(all, START), consumer.offsets(all, END)]),
  )
  return all.map(({ partition }, index) => {
    const start = starts[index]?.offset ?? 0
    const workedOff = Math.max(committed[index]?.offset ?? start, start)
    const position = Math.max(acknowledged[index]?.offset ?? start, start)
    return {
      partition,
      acknowledged: Math.min(position, workedOff),
      committed: workedOff,
      end: Math.max(ends[index]?.offset ?? 0, workedOff),
    }
  })
}

/** When the first event above the acknowledged position was accepted, of each partition that has one. */
async function oldestOf(
  { topic, group, reader, signal }: ProgressOptions,
  positions: readonly Positions[],
): Promise<ReadonlyMap<number, number>> {
  const oldest = new Map<number, number>()
  const ranges = positions
    .filter(({ acknowledged, end }) => acknowledged < end)
    .map(({ partition, acknowledged }) => ({ topic, partition, next: acknowledged, end: acknowledged + 1 }))
  if (ranges.length === 0) return oldest
  await reader.read(async () => {
    const consumer = await reader.open(acknowledgedGroup(group), 'reading')
    try {
      const visit = ({
        partition,
        timestamp,
      }: {
        readonly partition: number
        readonly timestamp: number
      }) => {
        if (!oldest.has(partition)) oldest.set(partition, timestamp)
      }
      await readRanges(consumer, ranges, visit, signal)
    } finally {
      await consumer.close()
    }
  })
  return oldest
}
