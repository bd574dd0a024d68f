import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { FormerTopics, LoggedRecord, UnfinishedTopic } from '../../src/contract/index.js'
import { SourceBeginning } from '../../src/inbox/source-beginning.js'
import { testContext } from '../helpers/context.js'
import { memoryLog } from '../helpers/kafka/memory-log.js'

/** A source that reads `present` and `more`, of a pipeline that had other topics before. */
function setUp(state: Partial<FormerTopics> = {}) {
  const kafka = memoryLog()
  const asked: (readonly string[])[] = []
  const former = {
    ...{ topics: ['former'], isLeft: false, owners: [] as readonly string[] },
    unfinished: [] as readonly UnfinishedTopic[],
    async leave(positions: readonly unknown[]) {
      expect(positions).toEqual([])
      former.isLeft = true
    },
    ...state,
  }
  kafka.formerTopics = async (present) => {
    asked.push(present)
    return former
  }
  const { log: logger, lines } = testContext()
  const beginning = new SourceBeginning({ topics: ['present', 'more'], logger })
  return { kafka, former, asked, lines, begin: () => beginning.requireNothingLeft(kafka) }
}

const unfinished = (topic: string, left: Partial<UnfinishedTopic>, header?: string): UnfinishedTopic => ({
  ...{ topic, notWorkedOff: 0, notAcknowledged: 0, ...left },
  next: async () => ({ header: () => header }) as Partial<LoggedRecord> as LoggedRecord,
})

test('records that others wrote to former topics are left behind, which is said once, with their number', async () => {
  const topics = [unfinished('former', { notWorkedOff: 12 }), unfinished('older', { notWorkedOff: 3 })]
  const { former, asked, lines, begin } = setUp({ unfinished: topics })
  await Promise.all([begin(), begin()])
  expect([former.isLeft, asked]).toEqual([true, [['present', 'more']]])
  expect(lines).toMatchObject([
    { level: 'warn', fields: { topic: 'former', records: 12 } },
    { level: 'warn', fields: { topic: 'older', records: 3 } },
  ])
})

test('while accepted events or acknowledgements are left, or an instance runs with the former topics, it waits and looks again', async () => {
  const cases: [Partial<FormerTopics>, string][] = [
    [
      { unfinished: [unfinished('former', { notWorkedOff: 3 }, '{}')] },
      '3 events of "former" are not worked off, and 0 are not acknowledged',
    ],
    [
      { unfinished: [unfinished('former', { notWorkedOff: 3, notAcknowledged: 2 })] },
      '0 events of "former" are not worked off, and 2 are not acknowledged',
    ],
    [{ owners: ['host/7'] }, 'host/7 runs it with "former". Stop every such instance first'],
  ]
  for (const [state, reason] of cases) {
    const { former, lines, begin } = setUp(state)
    await expect(begin()).rejects.toMatchObject({
      kind: 'infrastructure',
      code: 'HG_LEDGER_INBOX',
      message: expect.stringContaining(`cannot go on with "present", "more" yet: ${reason}`),
    })
    expect([former.isLeft, lines]).toEqual([false, []])
    Object.assign(former, { owners: [], unfinished: [] })
    await begin()
    expect([former.isLeft, lines]).toEqual([true, []])
  }
})

test('topics that another instance has just left are not looked at, though that one is in the group already', async () => {
  const { lines, begin } = setUp({ isLeft: true, owners: ['host/7'] })
  await begin()
  expect(lines).toEqual([])
})

test('a cluster that cannot be asked is asked again', async () => {
  const { kafka, former, begin } = setUp()
  const ask = kafka.formerTopics
  kafka.formerTopics = () => Promise.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', 'It is down.'))
  await expect(begin()).rejects.toThrow('It is down.')
  if (ask !== undefined) kafka.formerTopics = ask
  await begin()
  expect(former.isLeft).toBe(true)
})
