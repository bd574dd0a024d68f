import type { SinkRecord } from '../../src/contract/index.js'
import type { Assignment } from '../../src/inbox/assignment.js'
import { InboxAcks } from '../../src/inbox/inbox-acks.js'
import { itemOf, pastEventOf } from '../../src/inbox/item.js'
import { WorkOff } from '../../src/inbox/work-off.js'
import { digestOf } from '../../src/ledger/identity.js'
import type { DecidedEvent } from '../../src/pipeline/decision.js'
import { testContext } from '../helpers/context.js'
import { INBOX, type MemoryInbox, type MemoryMember } from '../helpers/kafka/memory-inbox.js'

export const decided = (id: string, content: string): DecidedEvent => {
  const bytes = Buffer.from(JSON.stringify({ id, content }))
  const record = { target: { topic: 'events', partition: 0 }, key: null, value: bytes, headers: [] }
  const event = { id, receivedAt: 0, body: { bytes, value: {}, slice: () => undefined } }
  return { event, digest: digestOf(bytes), verdict: { kind: 'send', record } }
}

const letterOf = (value: Buffer): SinkRecord => ({ target: { topic: 'dead' }, key: null, value, headers: [] })

/** One instance, which does nothing by itself. */
export class Instance {
  readonly member: MemoryMember
  readonly acks: InboxAcks
  readonly #workOff: WorkOff

  constructor(inbox: MemoryInbox, { mostInMemory = 3 } = {}) {
    this.member = inbox.join()
    this.acks = new InboxAcks({
      stages: 1,
      clock: { now: () => 0, at: () => 0 },
      keep: async () => ({ topic: 'dead', partition: 0, offset: 0 }),
      mostInMemory,
    })
    this.#workOff = new WorkOff({
      member: this.member,
      topic: INBOX,
      acks: this.acks,
      terms: () => ({ limits: { window: 1e9, entries: 1e6 }, by: 'id+bytes', maxPending: 4 }),
      refused: ({ event }, error) => ({
        kind: 'dead-lettered',
        record: letterOf(event.body.bytes),
        stage: 'sink.kafka',
        error,
      }),
      read: (record, by) => itemOf(record, by, ({ value }) => letterOf(value)),
      past: pastEventOf,
      onWorkedOff: () => {},
      observer: { assigned() {}, revoked() {}, transaction() {} },
      log: testContext().log,
      now: () => Number.POSITIVE_INFINITY,
    })
  }

  get assignment(): Assignment {
    return this.#workOff.assignment
  }

  async step(): Promise<void> {
    const step = this.#workOff.step()
    for (let turn = 0; turn < 50; turn++) await Promise.resolve()
    // A member that dies in its transaction never returns from it.
    if (this.member.isDead) return
    await step
    if (!this.member.isHeld) await this.#workOff.assignment.settled()
  }

  acknowledge(made: (partition: number, offset: number) => void): void {
    const pending = this.acks.take(0, 0)
    if (pending === undefined) return
    const { partition = -1, offset = -1 } = pending.committed.receipt ?? {}
    made(partition, offset)
    this.acks.acknowledged(pending)
  }

  commitAcknowledged(): Promise<void> {
    return this.member.acknowledged(this.acks.positions())
  }
}
