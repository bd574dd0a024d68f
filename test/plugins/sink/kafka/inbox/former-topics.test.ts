import { expect, test } from 'vitest'
import type { Position } from '../../../../../src/contract/index.js'
import { formerTopics } from '../../../../../src/plugins/sink/kafka/inbox/former-topics.js'
import { type Consumer, END } from '../../../../../src/plugins/sink/kafka/log/consumer.js'
import type { LogReader } from '../../../../../src/plugins/sink/kafka/log/log-reader.js'
import type { GroupMember } from '../../../../../src/plugins/sink/kafka/protocol/group-requests.js'

const GROUP = 'headgate.orders'

/** A cluster with the topics `first` and `second`, of one partition with ten records each, and the positions of the groups. */
function cluster(positions: { readonly [group: string]: { readonly [topic: string]: number } }) {
  const committed: { [group: string]: { [topic: string]: number } } = structuredClone(positions)
  const members: GroupMember[] = []
  const consumer: Partial<Consumer> = {
    partitions: async (topic) => (topic === 'deleted' ? 0 : 1),
    async offsets(asked, time) {
      if (asked.length === 0) throw new Error('invalid argument')
      return asked.map((at) => ({ ...at, offset: time === END ? 10 : 0 }))
    },
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
    ask: (...present: string[]) => formerTopics({ group: GROUP, reader, present, signal }),
  }
}

test('the present topics, and one that is gone, are no former ones', async () => {
  const { ask } = cluster({ [`${GROUP}.acknowledged`]: { first: 4, second: 10, deleted: 3 } })
  expect(await ask('first')).toMatchObject({ topics: ['second'], unfinished: [] })
  expect(await ask()).toMatchObject({
    topics: ['first', 'second'],
    unfinished: [{ topic: 'first', notWorkedOff: 6, notAcknowledged: 0 }],
  })
  expect(await ask('first', 'second')).toBeUndefined()
  const { ask: askOne } = cluster({ [`${GROUP}.acknowledged`]: { first: 4 } })
  expect(await askOne('first')).toBeUndefined()
})

test('an inbox that is left stays so while another one is used, and is a former one again after an instance has worked it off', async () => {
  const { ask, committed } = cluster({
    [`${GROUP}.acknowledged`]: { first: 10 },
    [GROUP]: { first: 10 },
  })
  const former = await ask('second')
  expect(former).toMatchObject({ isLeft: false, unfinished: [] })
  await former?.leave([{ topic: 'target', partition: 0, offset: 7 }])
  expect(committed[GROUP]).toEqual({ first: 10, target: 7 })
  Object.assign(committed[`${GROUP}.acknowledged`] ?? {}, { second: 2 })
  expect(await ask('second')).toMatchObject({ topics: ['first'], isLeft: true })
  expect(await ask('first')).toMatchObject({
    ...{ topics: ['second'], isLeft: false },
    unfinished: [{ topic: 'second', notWorkedOff: 8 }],
  })
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
  // With another topic of the source.
  members.push(member('host/1', 'second'), member('host/3', 'second'))
  expect((await ask('first'))?.owners).toEqual(['host/3', 'host/1'])
})

test('each topic is told apart, and those that are left are not told', async () => {
  const { ask, committed } = cluster({
    [`${GROUP}.acknowledged`]: { first: 4, second: 5 },
    [GROUP]: { first: 7, second: 5 },
  })
  expect((await ask('third'))?.unfinished).toMatchObject([
    { topic: 'first', notWorkedOff: 3, notAcknowledged: 3 },
    { topic: 'second', notWorkedOff: 5, notAcknowledged: 0 },
  ])
  await (await ask('third', 'first'))?.leave([])
  expect(committed[GROUP]).toEqual({ first: 7, second: 5 })
  expect(await ask('third')).toMatchObject({
    topics: ['first', 'second'],
    isLeft: false,
    unfinished: [{ topic: 'first' }],
  })
})
