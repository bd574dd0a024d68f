import type { Outcome } from '../../../contract/index.js'
import { nextTurn } from '../../../lib/slices.js'
import type { Room } from './room.js'

/** As many events as the listener takes in a tick. */
const ITEMS_A_TURN = 32

/**
 * Takes the items of a batch in their order, as many at a time as there is room for. The batch has one place from the start, and
 * keeps it: so it always goes on, even if other batches have all the rest.
 */
export async function takeItems<Item>(
  items: readonly Item[],
  room: Pick<Room, 'enter' | 'leave'>,
  take: (item: Item) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Promise<Outcome>[] = []
  let busy = 0
  let oneEnded = () => {}
  for (const item of items) {
    // Other senders have their turn meanwhile.
    if (outcomes.length > 0 && outcomes.length % ITEMS_A_TURN === 0) await nextTurn()
    while (busy > 0 && !room.enter())
      await new Promise<void>((resolve) => {
        oneEnded = resolve
      })
    busy++
    const ended = take(item)
    void ended.then(() => {
      if (--busy > 0) room.leave()
      oneEnded()
    })
    outcomes.push(ended)
  }
  return Promise.all(outcomes)
}
