import type { FormerInbox, LoggedRecord, Position } from '../../../../contract/index.js'
import { type Consumer, END, START } from '../consumer.js'
import type { GroupMember } from '../group-requests.js'
import type { LogReader } from '../log-reader.js'
import { instanceOf } from '../properties.js'
import { readRanges } from '../read.js'
import { leftAt, leftGroup } from './left-inbox.js'
import { acknowledgedGroup } from './partitions-in-use.js'

interface FormerInboxOptions {
  readonly group: string
  readonly reader: LogReader
  /** The inbox that the pipeline has now. */
  readonly present?: string | undefined
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
export async function formerInbox(options: FormerInboxOptions): Promise<FormerInbox | undefined> {
  const { group, reader } = options
  const acknowledged = await acknowledgedPositions(options)
  if (acknowledged.length === 0) return undefined
  const [left, members] = await Promise.all([
    leftAt(reader.groups, group, acknowledged),
    reader.groups.members(group),
  ])
  const partitions = await partitionsLeft(options, acknowledged)
  const sum = (of: (partition: Left) => number) => partitions.reduce((all, each) => all + of(each), 0)
  return {
    topics: [...new Set(acknowledged.map(({ topic }) => topic))],
    isLeft: acknowledged.every(({ offset }, at) => offset === left[at]),
    owners: membersOf(members ?? [], options.present).map(({ clientId }) => instanceOf(clientId)),
    notWorkedOff: sum(({ end, workedOff }) => end - workedOff),
    notAcknowledged: sum((each) => each.workedOff - each.acknowledged),
    next: () => nextOf(options, partitions),
    async leave(ends) {
      await reader.groups.commit(group, ends)
      // After the positions above: a start in between does it again.
      await reader.groups.commit(leftGroup(group), acknowledged)
    },
  }
}

/** Those that do not have the present inbox. A member without a partition has the same as the others. */
function membersOf(members: readonly GroupMember[], present: string | undefined): readonly GroupMember[] {
  const hasPresent = ({ assigned }: GroupMember) => assigned.some(({ topic }) => topic === present)
  if (!members.some(hasPresent)) return members
  return members.filter((member) => member.assigned.length > 0 && !hasPresent(member))
}

/** Of every topic that the pipeline worked off and that still exists, without the present one. */
export async function acknowledgedPositions({
  group,
  reader,
  present,
}: Omit<FormerInboxOptions, 'signal'>): Promise<Position[]> {
  const all = await reader.groups.all(acknowledgedGroup(group))
  const positions = all.filter(({ topic }) => topic !== present)
  const topics = [...new Set(positions.map(({ topic }) => topic))]
  if (topics.length === 0) return []
  const counts = new Map(
    await reader.requests.use((consumer) =>
      Promise.all(topics.map(async (topic) => [topic, await consumer.partitions(topic)] as const)),
    ),
  )
  return positions.filter(({ topic, partition }) => partition < (counts.get(topic) ?? 0))
}

async function partitionsLeft(
  { group, reader }: FormerInboxOptions,
  acknowledged: readonly Position[],
): Promise<Left[]> {
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
  { group, reader, signal }: FormerInboxOptions,
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
