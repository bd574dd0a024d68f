import type { Position } from '../../../../contract/index.js'
import type { TopicPartition } from '../log/consumer.js'
import type { Address, Connection } from './connection.js'
import { type Encoded, int32, int64, list, type Reader, reader, text } from './wire.js'

const OFFSET_COMMIT = 8
const OFFSET_FETCH = 9
const FIND_COORDINATOR = 10
const DESCRIBE_GROUPS = 15

/** A commit of a client that is no member of the group: allowed while the group has none (OffsetCommitRequest, v2). */
const NO_GENERATION = int32(-1)
const NO_MEMBER = text('')
/** The broker's own `offsets.retention.minutes`. */
const NO_RETENTION = int64(-1)
const NO_METADATA = text('')
/** Null: the first version that knows it is 2 (OffsetFetchRequest). */
const ALL_TOPICS = int32(-1)

/** A broker refuses a request; numbered as node-rdkafka's `CODES.ERRORS` are. */
export class BrokerRefusal extends Error {
  constructor(readonly code: number) {
    super(`the broker responds with error ${code}`)
  }
}

// The oldest versions that brokers from Kafka 0.11 to 4 take, so none has to be negotiated.

export async function findCoordinator({ ask }: Pick<Connection, 'ask'>, group: string): Promise<Address> {
  const response = await ask(FIND_COORDINATOR, 0, [text(group)])
  requireNone(response.int16())
  response.int32()
  return { host: response.text(), port: response.int32() }
}

/** In the order of `partitions`; the offset is undefined if nothing was committed. */
export async function fetchOffsets(
  { ask }: Pick<Connection, 'ask'>,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<Partial<Position>[]> {
  const response = await ask(OFFSET_FETCH, 1, [
    text(group),
    topics(partitions, ({ partition }) => int32(partition)),
  ])
  const found = new Map<string, number>()
  for (const { topic, partition, offset } of readTopics(response, () => readOffset(response)))
    if (offset >= 0) found.set(`${topic} ${partition}`, offset)
  return partitions.map(({ topic, partition }) => {
    const offset = found.get(`${topic} ${partition}`)
    return { topic, partition, ...(offset !== undefined && { offset }) }
  })
}

/** All that were committed, of whatever topics. */
export async function fetchAllOffsets({ ask }: Pick<Connection, 'ask'>, group: string): Promise<Position[]> {
  const response = await ask(OFFSET_FETCH, 2, [text(group), ALL_TOPICS])
  const positions = readTopics(response, () => readOffset(response))
  requireNone(response.int16())
  return positions.filter(({ offset }) => offset >= 0)
}

export async function commitOffsets(
  { ask }: Pick<Connection, 'ask'>,
  group: string,
  positions: readonly Position[],
): Promise<void> {
  const response = await ask(OFFSET_COMMIT, 2, [
    text(group),
    NO_GENERATION,
    NO_MEMBER,
    NO_RETENTION,
    topics(positions, ({ partition, offset }) =>
      Buffer.concat([int32(partition), int64(offset), NO_METADATA]),
    ),
  ])
  readTopics(response, () => {
    requireNone(response.int16())
    return 0
  })
}

/** A member of a group, and the partitions that it is assigned. */
export interface GroupMember {
  readonly clientId: string
  readonly assigned: readonly TopicPartition[]
}

export async function fetchMembers({ ask }: Pick<Connection, 'ask'>, group: string): Promise<GroupMember[]> {
  const response = await ask(DESCRIBE_GROUPS, 0, [list([group], text)])
  const groups = response.list(() => {
    requireNone(response.int16())
    for (const _ of ['group', 'state', 'protocol type', 'protocol']) response.text()
    return response.list(() => {
      response.text()
      const clientId = response.text()
      response.text()
      response.blob()
      return { clientId, assigned: assignedOf(response.blob()) }
    })
  })
  return groups.flat()
}

/** As the protocol of consumers encodes it: version, partitions by topic, and data of the assignor. */
function assignedOf(assignment: Buffer): TopicPartition[] {
  if (assignment.length === 0) return []
  const response = reader(assignment)
  response.int16()
  return response
    .list(() => {
      const topic = response.text()
      return response.list(() => ({ topic, partition: response.int32() }))
    })
    .flat()
}

function topics<At extends TopicPartition>(
  partitions: readonly At[],
  encode: (partition: At) => Encoded,
): Encoded {
  const names = [...new Set(partitions.map(({ topic }) => topic))]
  return list(names, (name) =>
    Buffer.concat([
      text(name),
      list(
        partitions.filter(({ topic }) => topic === name),
        encode,
      ),
    ]),
  )
}

function readTopics(response: Reader, read: () => number): Position[] {
  return response
    .list(() => {
      const topic = response.text()
      return response.list(() => ({ topic, partition: response.int32(), offset: read() }))
    })
    .flat()
}

function readOffset(response: Reader): number {
  const offset = response.int64()
  response.text()
  requireNone(response.int16())
  return offset
}

function requireNone(code: number): void {
  if (code !== 0) throw new BrokerRefusal(code)
}
