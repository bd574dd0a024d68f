import { HeadgateError } from '../contract/errors.js'
import type { Inbox, Log, LoggedRecord, LogPartition, Position, RecordLog } from '../contract/index.js'
import { newestRecords } from '../ledger/catch-up.js'
import { claimOf, isReplay } from '../ledger/claim.js'
import { type Move, moveFrom, warnOfLeftBehind } from '../ledger/former-topics.js'
import type { LedgerTerms } from '../ledger/ledger.js'

export interface BeginningOptions extends Pick<LedgerTerms, 'mac' | 'window' | 'entries' | 'stages'> {
  readonly pipeline: string
  /** That of the inbox. */
  readonly topic: string
  readonly log: RecordLog
  readonly logger: Log
}

/**
 * Called before an instance works an inbox off or accepts an event. If it is the first: rejects if an instance without an inbox
 * or with another one runs, or has left something to do, which only such an instance can. Then it commits where the records from
 * before the inbox end.
 */
export async function beginInbox(
  inbox: Pick<Inbox, 'status' | 'reuse'>,
  options: BeginningOptions,
): Promise<void> {
  const status = await inbox.status()
  if (status === 'begun') return
  if (status === 'others')
    throw new HeadgateError(
      'HG_INBOX_BEFORE',
      'An instance without an inbox runs this pipeline, or was killed within the last 10 s. Stop it, and start this one again.',
    )
  try {
    await endTimeBefore(options)
    await inbox.reuse()
  } catch (error) {
    // Another first instance has joined the group meanwhile, after the same checks.
    if ((await inbox.status()) !== 'begun') throw error
  }
}

async function endTimeBefore(options: BeginningOptions): Promise<void> {
  const { log, logger, topic } = options
  const former = await log.formerTopics?.([topic])
  const { obstacle, leftBehind } = former === undefined ? NO_MOVE : await moveFrom(former)
  if (obstacle !== undefined)
    throw new HeadgateError(
      'HG_INBOX_BEFORE',
      `The pipeline had another inbox, or a source with topics, and cannot go on with "${topic}" yet: ${obstacle}.`,
    )
  const leaving = former?.isLeft === false ? former : undefined
  // The records that an inbox has written to the targets were never acknowledged from there.
  if (leaving === undefined) await requireNothingPending(options)
  const ends = (await targetsOf(log, topic)).map(({ topic, partition, end }) => ({
    topic,
    partition,
    offset: end,
  }))
  await (leaving === undefined ? log.commit(ends) : leaving.leave(ends))
  warnOfLeftBehind(logger, leftBehind)
}

const NO_MOVE: Move = { obstacle: undefined, leftBehind: [] }

async function requireNothingPending(options: BeginningOptions): Promise<void> {
  const { log, pipeline, mac, stages } = options
  const claimed: LoggedRecord[] = []
  let count = 0
  const claims = { pipeline, macs: [mac], onUnproven() {} }
  // To the end: what a killed process had in flight may come only now.
  await log.read(await unacknowledged(options), (record) => {
    if (isReplay(record) || claimOf(record, claims)?.proven !== true) return
    if (count++ === 0) claimed.push(record)
  })
  const [first] = claimed
  if (first === undefined || stages === 0) return
  throw new HeadgateError(
    'HG_INBOX_BEFORE',
    `${count} events from before the inbox are not acknowledged; the first is at offset ${first.offset} of partition ${first.partition} of topic "${first.topic}". Start the pipeline without "inbox" until "headgate ledger" shows no pending acknowledgement.`,
  )
}

/** From the positions that the ledger of an instance without an inbox has committed; without one, from the window. */
async function unacknowledged({ log, topic, window, entries }: BeginningOptions): Promise<Position[]> {
  const targets = await targetsOf(log, topic)
  const open = targets.filter(({ committed, start, end }) => committed === undefined && start < end)
  const newest = open.length === 0 ? [] : await newestRecords(open, { log: () => log, window, entries })
  return targets.map((at) => ({
    topic: at.topic,
    partition: at.partition,
    offset: at.committed ?? newest[open.indexOf(at)] ?? at.start,
  }))
}

/** The inbox itself is among the targets of the sink. */
const targetsOf = async (log: RecordLog, inbox: string): Promise<readonly LogPartition[]> =>
  (await log.partitions()).filter(({ topic }) => topic !== inbox)
