import { HeadgateError } from '../contract/errors.js'
import type { FormerTopics, Log, RecordLog, UnfinishedTopic } from '../contract/index.js'
import { HEADER } from './record-headers.js'
import type { LedgerStore } from './store.js'

/** A pipeline moves from the topics that it worked off to others, or to none. */
export interface Move {
  /** Why it cannot yet; undefined if it can, or has. */
  readonly obstacle: string | undefined
  /** Records of other programs that it has not worked off. They hold nothing up: others go on writing. */
  readonly leftBehind: readonly UnfinishedTopic[]
}

/**
 * A pipeline that had an inbox until now: its records up to here are acknowledged, or the inbox still has their
 * acknowledgements. Resolves with true if the pipeline has just left it, so that the index lacks the records of that time;
 * with false if it had none. Rejects while anything in it is left to do.
 */
export async function leaveInbox(log: RecordLog, store: LedgerStore, logger: Log): Promise<boolean> {
  const former = await log.formerTopics?.([])
  if (former === undefined) return false
  const { obstacle, leftBehind } = await moveFrom(former)
  if (obstacle !== undefined)
    throw new HeadgateError(
      'HG_LEDGER_INBOX',
      `The pipeline had an inbox, or a source with topics, and cannot go on without yet: ${obstacle}.`,
    )
  if (former.isLeft) return false
  const partitions = await log.partitions(store.acknowledgedUpTo())
  await former.leave(partitions.map(({ topic, partition, end }) => ({ topic, partition, offset: end })))
  warnOfLeftBehind(logger, leftBehind)
  return true
}

export async function moveFrom(former: FormerTopics): Promise<Move> {
  const { owners, unfinished } = former
  if (owners.length > 0) {
    const running = `${owners.join(', ')} ${owners.length === 1 ? 'runs' : 'run'} it with ${namesOf(former.topics)}`
    return { obstacle: `${running}. Stop every such instance first`, leftBehind: [] }
  }
  const inboxes = await Promise.all(unfinished.map(isInbox))
  const leftBehind = unfinished.filter(({ notWorkedOff }, at) => notWorkedOff > 0 && inboxes[at] !== true)
  const held = unfinished.filter(({ notAcknowledged }, at) => notAcknowledged > 0 || inboxes[at] === true)
  if (held.length === 0) return { obstacle: undefined, leftBehind }
  const sum = (of: (topic: UnfinishedTopic) => number) => held.reduce((all, each) => all + of(each), 0)
  const notWorkedOff = sum((topic) => (leftBehind.includes(topic) ? 0 : topic.notWorkedOff))
  return {
    obstacle: `${notWorkedOff} events of ${namesOf(held.map(({ topic }) => topic))} are not worked off, and ${sum(({ notAcknowledged }) => notAcknowledged)} are not acknowledged. Give the pipeline its former inbox or source back, pause it, and wait until "headgate ledger" shows none of either`,
    leftBehind,
  }
}

/** The records of an inbox are accepted events, which nobody else has. */
const isInbox = async ({ notWorkedOff, next }: UnfinishedTopic): Promise<boolean> =>
  notWorkedOff > 0 && (await next())?.header(HEADER.inbox) !== undefined

export function warnOfLeftBehind(logger: Log, topics: readonly UnfinishedTopic[]): void {
  for (const { topic, notWorkedOff } of topics)
    logger.warn(
      { topic, records: notWorkedOff },
      `the pipeline no longer reads topic "${topic}", and up to ${notWorkedOff} of its records are not worked off. They stay there: give the source the topic back to have them worked off from where it was`,
    )
}

const namesOf = (topics: readonly string[]): string => topics.map((topic) => `"${topic}"`).join(', ')
