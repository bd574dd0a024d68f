import { expect, test } from 'vitest'
import type { Position } from '../../../../../src/contract/index.js'
import { type Consumer, END } from '../../../../../src/plugins/sink/kafka/consumer.js'
import type { GroupMember } from '../../../../../src/plugins/sink/kafka/group-requests.js'
import { formerInbox } from '../../../../../src/plugins/sink/kafka/inbox/former-inbox.js'
import type { LogReader } from '../../../../../src/plugins/sink/kafka/log-reader.js'

const GROUP = 'headgate.orders'

/** A cluster with the topics `first` and `second`, of one partition with ten records each, and the positions of the groups. */
function cluster(positions: { readonly [group: string]: { readonly [topic: string]: number } }) {
  const committed: { [group: string]: { [topic: string]: number } } = structuredClone(positions)
  const members: GroupMember[] = []
  const consumer: Partial<Consumer> = {
    partitions: async (topic) => (topic === 'deleted' ? 0 : 1),
    offsets: async (asked, time) => asked.map((at) => ({ ...at, offset: time === END ? 10 : 0 })),
  }
  const groups: Partial<LogReader['groups']> = {
    all: async (group) =>
      Object.entries(committed[group] ?? {}).map(([topic, offset]) => ({ topic, partition: 0, offset })),
    committed: async (group, asked) =>
      asked.map(({ topic, partition }) => {
        const offset = committed[group]?.[topic]
        return { topic, partition, ...(offset !== undefined && { offset }) }
      }),
    commit: async (group, all: readonly Position[]) => {
      for (const { topic, offset } of all) committed[group] = { ...committed[group], [topic]: offset }
    },
    members: async () => members,
  }
  const requests = {
    use: <Result>(task: (one: Consumer) => Promise<Result>) => task(consumer as Consumer),
  }
  const reader = { requests, groups } as Partial<LogReader> as LogReader
  const signal = new AbortController().signal
  return {
    committed,
    members,
    ask: (present?: string) => formerInbox({ group: GROUP, reader, present, signal }),
  }
}

test('the present inbox, and one whose topic is gone, are no former ones', async () => {
  const { ask } = cluster({ [`${GROUP}.acknowledged`]: { first: 4, second: 10, deleted: 3 } })
  expect(await ask('first')).toMatchObject({ topics: ['second'], notWorkedOff: 0, notAcknowledged: 0 })
  expect(await ask()).toMatchObject({ topics: ['first', 'second'], notWorkedOff: 6 })
  const { ask: askOne } = cluster({ [`${GROUP}.acknowledged`]: { first: 4 } })
  expect(await askOne('first')).toBeUndefined()
})

test('an inbox that is left stays so while another one is used, and is a former one again after an instance has worked it off', async () => {
  const { ask, committed } = cluster({
    [`${GROUP}.acknowledged`]: { first: 10 },
    [GROUP]: { first: 10 },
  })
  const former = await ask('second')
  expect(former).toMatchObject({ isLeft: false, notWorkedOff: 0, notAcknowledged: 0 })
  await former?.leave([{ topic: 'target', partition: 0, offset: 7 }])
  expect(committed[GROUP]).toEqual({ first: 10, target: 7 })
  Object.assign(committed[`${GROUP}.acknowledged`] ?? {}, { second: 2 })
  expect(await ask('second')).toMatchObject({ topics: ['first'], isLeft: true })
  expect(await ask('first')).toMatchObject({ topics: ['second'], isLeft: false, notWorkedOff: 8 })
  Object.assign(committed[`${GROUP}.acknowledged`] ?? {}, { first: 11 })
  expect(await ask('second')).toMatchObject({ topics: ['first'], isLeft: false })
})

test('instances with the present inbox do not run with the former one', async () => {
  const { ask, members } = cluster({ [`${GROUP}.acknowledged`]: { first: 10, second: 3 } })
  const member = (instance: string, ...topics: string[]): GroupMember => ({
    clientId: `headgate-orders@${instance}`,
    assigned: topics.map((topic) => ({ topic, partition: 0 })),
  })
  members.push(member('host/1', 'first'), member('host/2'))
  expect((await ask('second'))?.owners).toEqual(['host/1', 'host/2'])
  expect((await ask('first'))?.owners).toEqual([])
  members.push(member('host/3', 'second'))
  expect((await ask('first'))?.owners).toEqual(['host/3'])
})
