import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { InboxAcks } from '../../src/inbox/inbox-acks.js'
import { toInboxRecord } from '../../src/inbox/inbox-record.js'
import { type Item, itemOf, pastEventOf } from '../../src/inbox/item.js'
import { WorkOff, type WorkOffOptions } from '../../src/inbox/work-off.js'
import { testContext } from '../helpers/context.js'
import { INBOX, MemoryInbox } from '../helpers/kafka/memory-inbox.js'
import { decided } from './instance.js'

const FAULT = new HeadgateError('HG_PLUGIN_FAILED', 'A plugin failed.')

/** Works off topics of which `failing` says on which events nothing can be decided now. */
function workOff(
  inbox: MemoryInbox,
  failing: Set<string>,
  terms: { isPaused: boolean } = { isPaused: false },
) {
  const { log, lines } = testContext()
  let now = 0
  const read: WorkOffOptions['read'] = async (record, by): Promise<Item> => {
    const item = itemOf(record, by, () => ({
      target: { topic: 'dead' },
      key: null,
      value: record.value,
      headers: [],
    }))
    return failing.has(item.decided?.event.id ?? '')
      ? { ...item, action: { kind: 'undecided', error: FAULT }, again: () => read(record, by) }
      : item
  }
  const options = {
    member: inbox.join(),
    topic: INBOX,
    acks: new InboxAcks({
      stages: 0,
      clock: { now: () => 0, at: () => 0 },
      keep: async () => ({ topic: 'dead', partition: 0, offset: 0 }),
    }),
    terms: () => ({ limits: { window: 1e9, entries: 100 }, by: 'id+bytes', maxPending: 10, ...terms }),
    refused: () => ({ kind: 'dropped' }),
    read,
    past: pastEventOf,
    onWorkedOff: () => {},
    observer: { assigned() {}, revoked() {}, transaction() {} },
    log,
    now: () => now,
  } satisfies WorkOffOptions
  const work = new WorkOff(options)
  return {
    lines,
    lag: () => work.assignment.lag,
    oldestAt: () => work.assignment.oldestAt,
    async steps() {
      for (let step = 0; step < 10; step++) {
        now += 10_000
        await work.step()
        await work.assignment.settled()
      }
    },
  }
}

const ids = (inbox: MemoryInbox) =>
  inbox.written.map(({ value }) => (JSON.parse(value.toString()) as { id: string }).id)

test('a partition waits while nothing can be decided on its next event, in order, and the others go on', async () => {
  const inbox = new MemoryInbox(2)
  const places = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({
    id,
    ...inbox.accept(toInboxRecord(INBOX, decided(id, ''))),
  }))
  const stuck = places.filter(({ partition }) => partition === 0).map(({ id }) => id)
  const others = places.filter(({ partition }) => partition === 1).map(({ id }) => id)
  const failing = new Set([stuck[1] as string])
  const { steps, lines, lag } = workOff(inbox, failing)
  await steps()
  expect(ids(inbox).toSorted()).toEqual([stuck[0], ...others].toSorted())
  expect(lag()).toBe(stuck.length - 1)
  expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1)

  failing.clear()
  await steps()
  expect(ids(inbox).filter((id) => stuck.includes(id))).toEqual(stuck)
  expect(lag()).toBe(0)
})

test('while a pipeline is paused its events stay where they are', async () => {
  const inbox = new MemoryInbox(1)
  for (const [at, id] of ['a', 'b'].entries()) inbox.accept(toInboxRecord(INBOX, decided(id, '')), 7 + at)
  const terms = { isPaused: true }
  const { steps, oldestAt } = workOff(inbox, new Set(), terms)
  await steps()
  expect(ids(inbox)).toEqual([])
  expect(oldestAt()).toBe(7)
  terms.isPaused = false
  await steps()
  expect(ids(inbox)).toEqual(['a', 'b'])
  expect(oldestAt()).toBeUndefined()
})
