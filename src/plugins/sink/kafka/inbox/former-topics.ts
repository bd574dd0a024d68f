import type { FormerTopics, LoggedRecord, Position, UnfinishedTopic } from '../../../../contract/index.js'
import { type Consumer, END, START } from '../log/consumer.js'
import type { LogReader } from '../log/log-reader.js'
import { readRanges } from '../log/read.js'
import { instanceOf } from '../properties.js'
import type { GroupMember } from '../protocol/group-requests.js'
import { leftAt, leftGroup } from './left-inbox.js'
import { acknowledgedGroup } from './partitions-in-use.js'

interface FormerTopicsOptions {
  readonly group: string
  readonly reader: LogReader
  /** The inbox that the pipeline has now, or the topics of its source. */
  readonly present: readonly string[]
  readonly signal: AbortSignal
}

/** All are offsets. */
interface Left {
  readonly topic: string
  readonly partition: number
  readonly acknowledged: number
  readonly workedOff: number
  readonly end: number
}

/** Undefined if the pipeline had none; the groups forget one that nobody uses. */
export async function formerTopics(options: FormerTopicsOptions): Promise<FormerTopics | undefined> {
  const { group, reader } = options
  const acknowledged = await acknowledgedPositions(options)
  if (acknowledged.length === 0) return undefined
  const [left, members] = await Promise.all([
    leftAt(reader.groups, group, acknowledged),
    reader.groups.members(group),
  ])
  const used = acknowledged.filter(({ offset }, at) => offset !== left[at])
  return {
    topics: namesOf(acknowledged),
    isLeft: used.length === 0,
    owners: ownersOf(members ?? [], options.present),
    unfinished: unfinishedOf(options, await partitionsLeft(options, used)),
    async leave(ends) {
      if (ends.length > 0) await reader.groups.commit(group, ends)
      // After the positions above: a start in between does it again.
      await reader.groups.commit(leftGroup(group), acknowledged)
    },
  }
}

const namesOf = (positions: readonly Position[]): string[] => [
  ...new Set(positions.map(({ topic }) => topic)),
]

function unfinishedOf(options: FormerTopicsOptions, all: readonly Left[]): UnfinishedTopic[] {
  const topics = [...new Set(all.map(({ topic }) => topic))].map((topic) => {
    const partitions = all.filter((each) => each.topic === topic)
    const sum = (of: (partition: Left) => number) => partitions.reduce((total, each) => total + of(each), 0)
    return {
      topic,
      notWorkedOff: sum(({ end, workedOff }) => end - workedOff),
      notAcknowledged: sum(({ workedOff, acknowledged }) => workedOff - acknowledged),
      next: () => nextOf(options, partitions),
    }
  })
  return topics.filter(({ notWorkedOff, notAcknowledged }) => notWorkedOff + notAcknowledged > 0)
}

/**
 * The instances of members that do not have the present topics. A member without a partition has the same as the others. An
 * instance has a member for each topic of its source.
 */
function ownersOf(members: readonly GroupMember[], present: readonly string[]): string[] {
  const hasPresent = ({ assigned }: GroupMember) => assigned.some(({ topic }) => present.includes(topic))
  const owners = members.some(hasPresent)
    ? members.filter((member) => member.assigned.length > 0 && !hasPresent(member))
    : members
  return [...new Set(owners.map(({ clientId }) => instanceOf(clientId)))]
}

/** Of every topic that the pipeline worked off and that still exists, without the present ones. */
export async function acknowledgedPositions({
  group,
  reader,
  present,
}: Omit<FormerTopicsOptions, 'signal'>): Promise<Position[]> {
  const all = await reader.groups.all(acknowledgedGroup(group))
  const positions = all.filter(({ topic }) => !present.includes(topic))
  const topics = namesOf(positions)
  if (topics.length === 0) return []
  const counts = new Map(
    await reader.requests.use((consumer) =>
      Promise.all(topics.map(async (topic) => [topic, await consumer.partitions(topic)] as const)),
    ),
  )
  return positions.filter(({ topic, partition }) => partition < (counts.get(topic) ?? 0))
}

async function partitionsLeft(
  { group, reader }: FormerTopicsOptions,
  acknowledged: readonly Position[],
): Promise<Left[]> {
  // librdkafka rejects a request for the offsets of no partition.
  if (acknowledged.length === 0) return []
  const committed = await reader.groups.committed(group, acknowledged)
  const [starts, ends] = await reader.requests.use((consumer: Consumer) =>
    Promise.all([consumer.offsets(acknowledged, START), consumer.offsets(acknowledged, END)]),
  )
  return acknowledged.map(({ topic, partition, offset }, at) => {
    const position = Math.max(offset, starts[at]?.offset ?? 0)
    const workedOff = Math.max(position, committed[at]?.offset ?? position)
    const end = Math.max(workedOff, ends[at]?.offset ?? 0)
    return { topic, partition, acknowledged: position, workedOff, end }
  })
}

/** The first record that is not worked off. */
async function nextOf(
  { group, reader, signal }: FormerTopicsOptions,
  partitions: readonly Left[],
): Promise<LoggedRecord | undefined> {
  const from = partitions.find(({ workedOff, end }) => workedOff < end)
  if (from === undefined) return undefined
  const { topic, partition, workedOff } = from
  return await reader.read(async () => {
    const consumer = await reader.open(acknowledgedGroup(group), 'reading')
    let found: LoggedRecord | undefined
    try {
      const visit = (record: LoggedRecord) => {
        found ??= record
      }
      await readRanges(consumer, [{ topic, partition, next: workedOff, end: workedOff + 1 }], visit, signal)
    } finally {
      await consumer.close()
    }
    return found
  })
}
