import { setTimeout as delay } from 'node:timers/promises'
import type { LogPartition, Position, Receipt, RecordLog } from '../contract/index.js'
import { HEADER } from '../ledger/record-headers.js'
import { type DeadLetter, nameOf } from './letter.js'
import type { InDoubt, PartitionReplay, RunOptions, Tally } from './partition-replay.js'

/** In units of the time for which a claim is good: the claimant gives up after one; the other is for clocks and connections. */
export const IN_DOUBT_WAIT = 2

/**
 * Removes settled letters from the queue: those that other runs have settled, and those that an earlier run sent but
 * did not note.
 */
export async function settleInDoubt(
  replay: PartitionReplay,
  { log, run, signal, sendWithin, onInDoubt }: RunOptions,
  tally: Tally,
): Promise<void> {
  dropSettled(replay, tally)
  const before = inDoubtOf(replay)
  if (before.length === 0) return
  onInDoubt(before, sendWithin * IN_DOUBT_WAIT)
  await delay(sendWithin * IN_DOUBT_WAIT, undefined, { signal }).catch(() => {})
  if (signal.aborted) return
  await replay.catchUp()

  const findings = await findRecords(log, inDoubtOf(replay))
  const delivered = replay.queue.flatMap((letter) => {
    const finding = findings.get(letter)
    return finding?.kind === 'delivered' ? [{ offset: letter.offset, receipt: finding.receipt }] : []
  })
  if (delivered.length > 0) await replay.write({ kind: 'settled', run: run.id, delivered, released: [] })
  dropSettled(replay, tally)
  const isUnknown = (letter: DeadLetter) => findings.get(letter)?.kind === 'unknown'
  tally.unknown.push(...replay.queue.filter(isUnknown))
  replay.queue = replay.queue.filter((letter) => !isUnknown(letter))
}

const inDoubtOf = ({ queue, history }: PartitionReplay): InDoubt[] =>
  queue.flatMap((letter) => {
    const claim = history.claims.get(letter.offset)
    return claim === undefined ? [] : [{ letter, claim }]
  })

function dropSettled(replay: PartitionReplay, tally: Tally): void {
  const open = replay.queue.filter(({ offset }) => !replay.history.isSettled(offset))
  tally.settledByOthers += replay.queue.length - open.length
  replay.queue = open
}

type Finding =
  | { readonly kind: 'delivered'; readonly receipt: Receipt }
  | { readonly kind: 'absent' }
  /** The log no longer has everything since the claim. */
  | { readonly kind: 'unknown' }

/** Searches the log for the records of claimed dead letters, from its ends at the time of the claim on. */
async function findRecords(
  log: RecordLog,
  inDoubt: readonly InDoubt[],
): Promise<ReadonlyMap<DeadLetter, Finding>> {
  const partitions = new Map((await log.partitions()).map((partition) => [keyOf(partition), partition]))
  const from = new Map<string, Position>()
  for (const { claim } of inDoubt) {
    for (const position of claim.from) {
      const lowest = from.get(keyOf(position))
      const isKept = keepsAll(partitions.get(keyOf(position)), position)
      if (isKept && (lowest === undefined || position.offset < lowest.offset))
        from.set(keyOf(position), position)
    }
  }
  const receipts = new Map<string, Receipt>()
  await log.read([...from.values()], (record) => {
    const name = record.header(HEADER.replayOf)
    const { topic, partition, offset } = record
    if (name !== undefined) receipts.set(name, { topic, partition, offset })
  })
  const findingOf = ({ letter, claim }: InDoubt): Finding => {
    const receipt = receipts.get(nameOf(letter))
    if (receipt !== undefined) return { kind: 'delivered', receipt }
    const isKept = claim.from.every((position) => keepsAll(partitions.get(keyOf(position)), position))
    return { kind: isKept ? 'absent' : 'unknown' }
  }
  return new Map(inDoubt.map((each) => [each.letter, findingOf(each)]))
}

/** True if the log still has everything from a position on. */
const keepsAll = (partition: LogPartition | undefined, { offset }: Position): boolean =>
  partition !== undefined && partition.start <= offset && offset <= partition.end

const keyOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${topic}-${partition}`
