import type { LogPartition, Position, Receipt, RecordLog } from '../contract/index.js'
import { HEADER } from '../ledger/record-headers.js'
import type { Claim } from './history.js'
import { type DeadLetter, nameOf } from './letter.js'

/** A dead letter of which a run has not said what became. */
export interface Doubt {
  readonly letter: DeadLetter
  readonly claim: Claim
}

export type Answer =
  | { readonly kind: 'delivered'; readonly receipt: Receipt }
  | { readonly kind: 'absent' }
  /** The partitions in which it could be cannot be read any more. */
  | { readonly kind: 'unknown' }

/** Looks in the log for the records of dead letters that were claimed, from where the log ended at the time of the claim. */
export async function search(
  log: RecordLog,
  doubts: readonly Doubt[],
): Promise<ReadonlyMap<DeadLetter, Answer>> {
  const partitions = new Map((await log.partitions()).map((partition) => [keyOf(partition), partition]))
  const from = new Map<string, Position>()
  for (const { claim } of doubts) {
    for (const position of claim.from) {
      const known = from.get(keyOf(position))
      const readable = covers(partitions.get(keyOf(position)), position)
      if (readable && (known === undefined || position.offset < known.offset))
        from.set(keyOf(position), position)
    }
  }
  const receipts = new Map<string, Receipt>()
  await log.read([...from.values()], (record) => {
    const name = record.header(HEADER.replayOf)
    const { topic, partition, offset } = record
    if (name !== undefined) receipts.set(name, { topic, partition, offset })
  })
  const answerTo = ({ letter, claim }: Doubt): Answer => {
    const receipt = receipts.get(nameOf(letter))
    if (receipt !== undefined) return { kind: 'delivered', receipt }
    const readable = claim.from.every((position) => covers(partitions.get(keyOf(position)), position))
    return { kind: readable ? 'absent' : 'unknown' }
  }
  return new Map(doubts.map((doubt) => [doubt.letter, answerTo(doubt)]))
}

/** Whether everything from a position on is still there. */
const covers = (partition: LogPartition | undefined, { offset }: Position): boolean =>
  partition !== undefined && partition.start <= offset && offset <= partition.end

const keyOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${topic}-${partition}`
