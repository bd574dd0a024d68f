import type { Consumer } from './consumer.js'
import { createSharedConsumer, type SharedConsumer } from './shared-consumer.js'

/** Consumers of many groups, of which a few are open at a time: a client can commit only for its own group. */
export interface ConsumerPool {
  use<Result>(group: string, task: (consumer: Consumer) => Promise<Result>): Promise<Result>
  /** Ends after what was asked for before. */
  close(): Promise<void>
}

/** A place for one open consumer. */
interface Slot {
  /** Of the consumer that is open. */
  group: string | undefined
  /** Of the last task that was asked for. */
  asked: string | undefined
  consumer: SharedConsumer | undefined
  waiting: number
  /** Counts on with every task: the smallest was used the longest time ago. */
  usedAt: number
  last: Promise<unknown>
}

export function createConsumerPool(open: (group: string) => Promise<Consumer>, limit: number): ConsumerPool {
  const slots = Array.from(
    { length: limit },
    (): Slot => ({
      group: undefined,
      asked: undefined,
      consumer: undefined,
      waiting: 0,
      usedAt: 0,
      last: Promise.resolve(),
    }),
  )

  let tasks = 0

  async function run<Result>(
    slot: Slot,
    group: string,
    task: (consumer: Consumer) => Promise<Result>,
  ): Promise<Result> {
    if (slot.group !== group) {
      await slot.consumer?.close()
      slot.consumer = createSharedConsumer(() => open(group))
      slot.group = group
    }
    return (slot.consumer as SharedConsumer).use(task)
  }

  return {
    use(group, task) {
      const free = slots.reduce((best, slot) =>
        slot.waiting < best.waiting || (slot.waiting === best.waiting && slot.usedAt < best.usedAt)
          ? slot
          : best,
      )
      const slot = slots.find((one) => one.asked === group) ?? free
      slot.asked = group
      slot.usedAt = ++tasks
      slot.waiting++
      const turn = slot.last.then(() => run(slot, group, task)).finally(() => slot.waiting--)
      slot.last = turn.catch(() => {})
      return turn
    },
    async close() {
      await Promise.all(slots.map(({ last, consumer }) => last.then(() => consumer?.close())))
    },
  }
}
