import rdkafka from 'node-rdkafka'
import { type ErrorCode, HeadgateError } from '../../../../contract/errors.js'
import type { ClientSettings } from '../client-settings.js'
import { allowCommand } from '../topic-admin.js'
import { acknowledgedGroup } from './partitions-in-use.js'

/** A reason why the cluster does not suit an inbox, and the remedy. */
export interface Unsuitable {
  readonly code: ErrorCode
  readonly message: string
  readonly suggestion: string
}

/** Settings of the topic that decide whether an inbox keeps what it has. */
export const INBOX_SETTINGS = ['cleanup.policy', 'retention.ms', 'retention.bytes'] as const

/** The first group has the position up to which events are worked off, the second that up to which they are acknowledged. */
export const groupsOf = (group: string): readonly [string, string] => [group, acknowledgedGroup(group)]

/** Whether these credentials may not use a group. */
export const isGroupRefused = (thrown: unknown): boolean => {
  const { code } = ((thrown as Error).cause ?? {}) as { readonly code?: unknown }
  return code === rdkafka.CODES.ERRORS.ERR_GROUP_AUTHORIZATION_FAILED
}

/** Each instance appends a part of its own. */
export const transactionalIdPrefix = (group: string): string => `${group}.`

// The same words at a start and in `headgate validate --against-cluster`.

export const noTransactions = (why: string): Unsuitable => ({
  code: 'HG_INBOX_UNSUPPORTED',
  message: `The cluster does not support transactions, which an inbox needs: ${why.replace(/\.$/, '')}.`,
  suggestion:
    'Use Apache Kafka 2.5 or newer, or the premium or dedicated tier of Azure Event Hubs: its standard tier has no transactions. A proxy in between has to pass them on. Otherwise remove "inbox" from the pipeline, and run one instance of it.',
})

export const transactionsNotAllowed = (cluster: ClientSettings, group: string): Unsuitable => ({
  code: 'HG_KAFKA_NOT_ALLOWED',
  message: `The user lacks the right Write on transactional ids that begin with "${transactionalIdPrefix(group)}".`,
  suggestion: `An administrator can allow it: ${allowCommand(cluster, ['Describe', 'Write'], '--transactional-id', transactionalIdPrefix(group))} --resource-pattern-type prefixed`,
})

export const groupNotAllowed = (cluster: ClientSettings, group: string): Unsuitable => ({
  code: 'HG_KAFKA_NOT_ALLOWED',
  message: `The user lacks the right Read on consumer group "${group}".`,
  suggestion: `An administrator can allow it: ${allowCommand(cluster, ['Read'], '--group', group)}`,
})

/** Undefined if its settings do, or are not known. */
export function losesEvents(topic: string, settings: ReadonlyMap<string, string>): Unsuitable | undefined {
  const policy = settings.get('cleanup.policy')
  return policy?.includes('compact') === true
    ? {
        code: 'HG_INBOX_COMPACTED',
        message: `The inbox "${topic}" has cleanup.policy=${policy}: compaction deletes accepted events before they are worked off.`,
        suggestion: 'Set cleanup.policy=delete for the topic.',
      }
    : undefined
}

/** Why the inbox may lose events that were not worked off in time, or forget events within the redelivery window. */
export function* shortRetention(
  topic: string,
  settings: ReadonlyMap<string, string>,
  redeliveryWindow: number,
): Generator<Omit<Unsuitable, 'code'>> {
  const [time, bytes] = (['retention.ms', 'retention.bytes'] as const).map((name) => {
    const value = settings.get(name)
    return value === undefined || value === '' ? -1 : Number(value)
  }) as [number, number]
  if (time >= 0 && time <= redeliveryWindow)
    yield {
      message: `The inbox "${topic}" keeps events for ${time} ms (retention.ms), and Headgate has to recognise redeliveries for ${redeliveryWindow} ms (redelivery.window). What is not worked off by then is lost.`,
      suggestion:
        'Set retention.ms to more than `redelivery.window` and the longest backlog together, or lower `redelivery.window`.',
    }
  if (bytes >= 0)
    yield {
      message: `The inbox "${topic}" keeps ${bytes} bytes of a partition at most (retention.bytes): under load it deletes events within the redelivery window, or before they are worked off.`,
      suggestion: 'Set retention.bytes=-1, and let retention.ms decide.',
    }
}

export const errorOf = ({ code, message, suggestion }: Unsuitable, cause?: unknown): HeadgateError =>
  new HeadgateError(code, `${message} ${suggestion}`, { cause })
