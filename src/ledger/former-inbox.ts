import { HeadgateError } from '../contract/errors.js'
import type { FormerInbox, RecordLog } from '../contract/index.js'
import { HEADER } from './record-headers.js'
import type { LedgerStore } from './store.js'

/**
 * A pipeline that had an inbox until now: its records up to here are acknowledged, or the inbox still has their
 * acknowledgements. Resolves with true if the pipeline has just left it, so that the index lacks the records of that time;
 * with false if it had none. Rejects while anything in it is left to do.
 */
export async function leaveInbox(log: RecordLog, store: LedgerStore): Promise<boolean> {
  const former = await log.formerInbox?.()
  if (former === undefined) return false
  const why = await reasonToStay(former)
  if (why !== undefined)
    throw new HeadgateError(
      'HG_LEDGER_INBOX',
      `The pipeline had an inbox, and cannot go on without it yet: ${why}.`,
    )
  if (former.isLeft) return false
  const partitions = await log.partitions(store.acknowledgedUpTo())
  await former.leave(partitions.map(({ topic, partition, end }) => ({ topic, partition, offset: end })))
  return true
}

/** Why a pipeline cannot leave its former inbox; undefined if it can, or has left it. */
export async function reasonToStay(former: FormerInbox): Promise<string | undefined> {
  const { owners, isLeft, notWorkedOff, notAcknowledged } = former
  if (owners.length > 0)
    return `${owners.join(', ')} ${owners.length === 1 ? 'runs' : 'run'} it with the inbox ${namesOf(former)}. Stop every such instance first`
  if (isLeft) return undefined
  // The topics of a source end with whatever other programs write.
  const isInbox = notWorkedOff > 0 && (await former.next())?.header(HEADER.inbox) !== undefined
  if (notAcknowledged === 0 && !isInbox) return undefined
  return `${isInbox ? notWorkedOff : 0} events of ${namesOf(former)} are not worked off, and ${notAcknowledged} are not acknowledged. Give the pipeline its inbox back, pause it, and wait until "headgate ledger" shows none of either`
}

const namesOf = ({ topics }: FormerInbox): string => topics.map((topic) => `"${topic}"`).join(', ')
