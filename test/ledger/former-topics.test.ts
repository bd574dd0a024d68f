import { expect, test } from 'vitest'
import type { FormerTopics, LoggedRecord, Position, UnfinishedTopic } from '../../src/contract/index.js'
import { digestOf } from '../../src/ledger/identity.js'
import { memoryLog } from '../helpers/kafka/memory-log.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger, takeIds } from './setup.js'

/** A log of a pipeline that had an inbox. */
function setUp(state: Partial<FormerTopics> = {}) {
  const kafka = memoryLog()
  const former = {
    topics: ['inbox'],
    isLeft: false,
    owners: [] as readonly string[],
    unfinished: [] as readonly UnfinishedTopic[],
    async leave([position]: readonly Position[]) {
      kafka.committed = position?.offset
      former.isLeft = true
    },
    ...state,
  }
  kafka.formerTopics = async () => former
  const append = (id: string) => kafka.append(id, digestOf(eventOf(id).body.bytes))
  return { kafka, former, append }
}

const recordWith = (header?: string) => ({ header: () => header }) as Partial<LoggedRecord> as LoggedRecord
const unfinished = (topic: string, left: Partial<UnfinishedTopic>): UnfinishedTopic => ({
  ...{ topic, notWorkedOff: 0, notAcknowledged: 0 },
  next: async () => recordWith('{}'),
  ...left,
})
/** The topic of a source. */
const foreign = (topic: string, left: Partial<UnfinishedTopic>) =>
  unfinished(topic, { next: async () => recordWith(), ...left })

test('records from the time of an inbox are recognised, and none is acknowledged again', async () => {
  const { kafka, former, append } = setUp()
  const before = await openLedger({ kafka: memoryLog() })
  await before.stop()
  append('a')
  append('b')
  const opened = await openLedger({ kafka, directory: before.directory })
  expect(former.isLeft).toBe(true)
  expect(takeIds(opened)).toEqual([])
  expect(await opened.take(eventOf('a'))).toMatchObject({ kind: 'duplicate', receipt: { offset: 0 } })
  expect(await opened.take(eventOf('b'))).toMatchObject({ kind: 'duplicate', receipt: { offset: 1 } })
})

test('an inbox is left once: what is pending after that stays so, also with a lost state directory', async () => {
  const { kafka, append } = setUp()
  append('a')
  const first = await openLedger({ kafka })
  await first.take(eventOf('b'))
  expect(takeIds(first)).toEqual(['b'])
  await first.stop()
  const second = await openLedger({ kafka })
  expect(takeIds(second)).toEqual(['b'])
})

test('while something is left in the inbox, or an instance works it off, the ledger takes no event', async () => {
  const cases: [Partial<FormerTopics>, string][] = [
    [
      { unfinished: [unfinished('inbox', { notWorkedOff: 3 })] },
      '3 events of "inbox" are not worked off, and 0',
    ],
    [
      { unfinished: [unfinished('inbox', { notAcknowledged: 2 })] },
      '0 events of "inbox" are not worked off, and 2 are not acknowledged',
    ],
    [
      { unfinished: [foreign('a', { notWorkedOff: 5 }), unfinished('inbox', { notWorkedOff: 3 })] },
      '3 events of "inbox" are not worked off, and 0',
    ],
    [
      { unfinished: [foreign('a', { notWorkedOff: 5, notAcknowledged: 2 })] },
      '0 events of "a" are not worked off, and 2 are not acknowledged',
    ],
    [{ owners: ['host/7'] }, 'host/7 runs it with "inbox"'],
    [{ owners: ['host/7'], isLeft: true }, 'host/7 runs it with "inbox"'],
  ]
  for (const [state, reason] of cases) {
    const { kafka, former } = setUp(state)
    const opened = await openLedger({ kafka, waitUntilReady: false })
    await expect.poll(() => opened.ledger.notReady().join()).toContain(reason)
    expect(await opened.take(eventOf('a'))).toMatchObject({ kind: 'unavailable' })
    Object.assign(former, { owners: [], unfinished: [] })
    await opened.ledger.ready()
    expect(await opened.take(eventOf('a'))).toMatchObject({ kind: 'delivered' })
  }
})

test('records that others write to the former topics of a source hold nothing up, and their number is a warning', async () => {
  const { kafka, former } = setUp({ unfinished: [foreign('a', { notWorkedOff: 5 })] })
  const { lines } = await openLedger({ kafka })
  expect(former.isLeft).toBe(true)
  expect(lines).toContainEqual({
    level: 'warn',
    fields: { topic: 'a', records: 5 },
    message: expect.stringContaining(
      'no longer reads topic "a", and up to 5 of its records are not worked off',
    ),
  })
})
