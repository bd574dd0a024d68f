import type { Connection } from '../protocol/connection.js'
import { BrokerRefusal } from '../protocol/group-requests.js'
import { blob, bool, int32, list, type Reader, text } from '../protocol/wire.js'

const JOIN_GROUP = { key: 11, version: 5 }
const HEARTBEAT = { key: 12, version: 3 }
const LEAVE_GROUP = { key: 13, version: 3 }
const SYNC_GROUP = { key: 14, version: 3 }
const DESCRIBE_GROUPS = { key: 15, version: 4 }
const API_VERSIONS = 18

/** Brokers have all of these versions since Kafka 2.4; they are the first that know static members (KIP-345). */
const NEEDED = [JOIN_GROUP, HEARTBEAT, LEAVE_GROUP, SYNC_GROUP, DESCRIBE_GROUPS]

/** Kafka leaves the meaning to the members, as with the groups of Kafka Connect. */
const PROTOCOL_TYPE = 'headgate'
const PROTOCOL = 'one-active'

type Asking = Pick<Connection, 'ask'>

/** A static member of a group. */
export interface MemberId {
  readonly group: string
  /** The id of the instance, which it keeps when it is restarted. */
  readonly instance: string
  /** Given by the coordinator; empty before that. */
  readonly member: string
}

export interface Joined {
  readonly generation: number
  readonly member: string
  /** The member that Kafka has chosen to assign the work. */
  readonly leader: string
  /** For the leader: all members. */
  readonly members: readonly string[]
}

/** Whether a cluster has groups with static members. */
export async function hasStaticMembers({ ask }: Asking): Promise<boolean> {
  const response = await ask(API_VERSIONS, 0, [])
  if (response.int16() !== 0) return false
  const ranges = response.list(() => ({
    key: response.int16(),
    min: response.int16(),
    max: response.int16(),
  }))
  return NEEDED.every(({ key, version }) =>
    ranges.some((range) => range.key === key && range.min <= version && version <= range.max),
  )
}

/** Resolves when the group has settled, which takes as long as its slowest member. */
export async function joinGroup(
  { ask }: Asking,
  { group, instance, member }: MemberId,
  session: number,
  rebalance: number,
): Promise<Joined> {
  const response = await ask(JOIN_GROUP.key, JOIN_GROUP.version, [
    text(group),
    int32(session),
    int32(rebalance),
    text(member),
    text(instance),
    text(PROTOCOL_TYPE),
    list([PROTOCOL], (name) => Buffer.concat([text(name), blob(Buffer.alloc(0))])),
  ])
  requireNone(response)
  const generation = response.int32()
  response.text()
  const leader = response.text()
  const own = response.text()
  const members = response.list(() => {
    const id = response.text()
    response.text()
    response.blob()
    return id
  })
  return { generation, member: own, leader, members }
}

/** `toAll`: from the leader, what each member is to know. Resolves with what the leader of this generation said. */
export async function syncGroup(
  { ask }: Asking,
  { group, instance, member }: MemberId,
  generation: number,
  members: readonly string[],
  toAll: Buffer,
): Promise<Buffer> {
  const response = await ask(SYNC_GROUP.key, SYNC_GROUP.version, [
    text(group),
    int32(generation),
    text(member),
    text(instance),
    list(members, (each) => Buffer.concat([text(each), blob(toAll)])),
  ])
  requireNone(response)
  return response.blob()
}

export async function heartbeat(
  { ask }: Asking,
  { group, instance, member }: MemberId,
  generation: number,
): Promise<void> {
  const { key, version } = HEARTBEAT
  requireNone(await ask(key, version, [text(group), int32(generation), text(member), text(instance)]))
}

export async function leaveGroup({ ask }: Asking, { group, instance, member }: MemberId): Promise<void> {
  const { key, version } = LEAVE_GROUP
  const leaving = list([member], (id) => Buffer.concat([text(id), text(instance)]))
  requireNone(await ask(key, version, [text(group), leaving]))
}

/** The instances that are in the group at this moment, those included whose request to join still waits. */
export async function instancesIn({ ask }: Asking, group: string): Promise<readonly string[]> {
  const { key, version } = DESCRIBE_GROUPS
  const response = await ask(key, version, [list([group], text), bool(false)])
  response.int32()
  const groups = response.list(() => {
    const code = response.int16()
    if (code !== 0) throw new BrokerRefusal(code)
    for (const _ of ['group', 'state', 'protocol type', 'protocol']) response.text()
    const instances = response.list(() => {
      response.text()
      const instance = response.text()
      for (const _ of ['client id', 'host']) response.text()
      for (const _ of ['metadata', 'assignment']) response.blob()
      return instance
    })
    response.int32()
    return instances
  })
  return groups.flat()
}

/** A response begins with the time for which the broker throttles, and an error. */
function requireNone(response: Reader): void {
  response.int32()
  const code = response.int16()
  if (code !== 0) throw new BrokerRefusal(code)
}
