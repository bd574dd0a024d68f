import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { type FindOptions, type Found, findLetters } from '../../src/dead-letters/find.js'
import { type MemoryTopics, memoryTopics } from '../helpers/kafka/memory-topics.js'
import { DLQ, letterRecord, PIPELINE, passes, replayAll } from './setup.js'

async function someLetters(): Promise<MemoryTopics> {
  const topics = memoryTopics({ events: 1, [DLQ]: 2 })
  await topics.send(letterRecord('schema'))
  await topics.send(
    letterRecord('route', {
      partition: 1,
      code: 'HG_ROUTE_REFUSED',
      stage: 'transform.1.route',
      rule: 'blocked',
    }),
  )
  await topics.send(letterRecord('theirs', { pipeline: 'payments' }))
  await topics.send({ target: { topic: DLQ, partition: 0 }, key: null, value: Buffer.from('?'), headers: [] })
  await topics.send(letterRecord('late', { partition: 1 }))
  return topics
}

const found = (topics: MemoryTopics, options: Partial<FindOptions> = {}): Promise<Found> =>
  findLetters({
    log: topics.log,
    topic: DLQ,
    pipeline: PIPELINE,
    filter: {},
    includeSettled: false,
    onProgress() {},
    ...options,
  })

const ids = ({ letters }: Found) => letters.map(({ letter }) => letter.id)

test('the dead letters of the pipeline are found, and nothing else that is in the topic', async () => {
  expect(ids(await found(await someLetters())).sort()).toEqual(['late', 'route', 'schema'])
})

test.each<[string, FindOptions['filter'], string[]]>([
  ['code', { code: 'HG_ROUTE_REFUSED' }, ['route']],
  ['stage', { stage: 'transform.0.json-schema' }, ['late', 'schema']],
  ['plugin', { stage: 'route' }, ['route']],
  ['rule', { rule: 'blocked' }, ['route']],
  ['id', { id: 'schema' }, ['schema']],
  ['several at once', { id: 'schema', stage: 'route' }, []],
])('they can be chosen by %s', async (_what, filter, expected) => {
  expect(ids(await found(await someLetters(), { filter })).sort()).toEqual(expected)
})

test('they can be chosen by time, both ends included', async () => {
  const topics = await someLetters()
  const [first] = topics.records(DLQ)
  const at = first?.timestamp ?? 0
  expect(ids(await found(topics, { filter: { since: at, until: at + 60_000 } }))).toHaveLength(3)
  expect(ids(await found(topics, { filter: { since: at + 60_000 } }))).toEqual([])
  expect(ids(await found(topics, { filter: { until: at - 1 } }))).toEqual([])
})

test('a limit leaves the newest', async () => {
  const topics = memoryTopics({ [DLQ]: 1 })
  for (const id of ['a', 'b', 'c']) await topics.send(letterRecord(id))
  const { letters, matching } = await found(topics, { limit: 2 })
  expect([letters.map(({ letter }) => letter.id), matching]).toEqual([['b', 'c'], 3])
})

test('replayed letters are counted, and shown if that is asked for', async () => {
  const topics = await someLetters()
  await replayAll(topics)
  await topics.send(letterRecord('new'))
  const open = await found(topics)
  expect([ids(open), open.settled, open.matching]).toEqual([['new'], 3, 4])
  const all = await found(topics, { includeSettled: true, filter: { id: 'schema' } })
  expect(all.letters[0]?.status).toEqual({
    kind: 'replayed',
    receipt: { topic: 'events', partition: 0, offset: 0 },
  })
})

test('the prospect of each is given, and those that would not pass can be left out', async () => {
  const topics = await someLetters()
  const error = new HeadgateError('HG_ROUTE_REFUSED', 'No.')
  const judge: FindOptions['judge'] = async (letter, value) =>
    letter.id === 'route'
      ? { kind: 'fails', error }
      : letter.id === 'late'
        ? { kind: 'dropped' }
        : passes(letter, value)
  const { letters } = await found(topics, { judge })
  expect(Object.fromEntries(letters.map(({ letter, prospect }) => [letter.id, prospect]))).toEqual({
    schema: { kind: 'passes', target: { topic: 'events', partition: 0 } },
    route: { kind: 'fails', error },
    late: { kind: 'dropped' },
  })
  expect(ids(await found(topics, { judge, onlyPassing: true }))).toEqual(['schema'])
})

test('violations that somebody else wrote in another form are left out', async () => {
  const topics = memoryTopics({ [DLQ]: 1 })
  await topics.send(letterRecord('a', { violations: 'not JSON' }))
  expect((await found(topics)).letters[0]?.letter.violations).toEqual([])
})
