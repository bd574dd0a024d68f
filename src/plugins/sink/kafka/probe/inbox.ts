import type { LintMeaning, ProbeContext, Probed } from '../../../../contract/index.js'
import { child } from '../../../../lib/json/pointer.js'
import type { ClientSettings } from '../client-settings.js'
import {
  losesEvents,
  noTransactions,
  shortRetention,
  transactionalIdPrefix,
  transactionsNotAllowed,
} from '../inbox/requirements.js'
import type { TransactionSupport } from '../protocol/transactions.js'
import { idleWorkers } from './idle-workers.js'
import type { ClusterTopics } from './topics.js'

/** Warnings about an inbox. */
export const INBOX_LINTS = {
  'inbox-one-partition': {
    meaning: 'The inbox has one partition.',
    why: 'A partition is worked off by one instance, so all others only take events in and wait for its end. An inbox goes on with the number of partitions with which it began, because the ids of events would move.',
    needs: 'cluster',
  },
  'inbox-retention': {
    meaning: 'The inbox may delete events within the redelivery window, or before they are worked off.',
    why: 'The inbox is the only copy of an accepted event until it is worked off, and the only record of the ids that Headgate recognises. Its retention bounds both.',
    needs: 'cluster',
  },
  'inbox-readers': {
    meaning: 'Readers of the targets get records of aborted transactions unless they ask for committed ones.',
    why: 'Records of an inbox are written in transactions, and those of an aborted one are written again. `isolation.level` of a reader is `read_uncommitted` by default, also in the Java client, and Kafka does not report how it is set. Set `read_committed` in every reader, then silence this warning with the place where that is held.',
    needs: 'cluster',
  },
} as const satisfies { readonly [name: string]: LintMeaning }

export interface InboxTerms extends Pick<ProbeContext, 'targets' | 'redeliveryWindow' | 'workers'> {
  readonly inbox: NonNullable<ProbeContext['inbox']>
  readonly group: string
  /** For commands to paste. */
  readonly cluster: ClientSettings
}

/** Findings about the inbox of a pipeline, besides those about any topic. */
export function* inboxFindings(
  {
    visible,
    settings,
    transactions,
    why,
  }: ClusterTopics & { readonly transactions: TransactionSupport | undefined },
  { inbox, targets, redeliveryWindow, workers, group, cluster }: InboxTerms,
): Generator<Probed> {
  const { topic } = inbox
  const at = child(inbox.at, 'topic')
  yield* transactionFindings(transactions, why, at, group, cluster)
  const inForce = settings?.get(topic)
  if (inForce !== undefined && typeof inForce !== 'string') {
    const unsuitable = losesEvents(topic, inForce)
    if (unsuitable !== undefined) yield { kind: 'error', at, ...unsuitable }
    for (const short of shortRetention(topic, inForce, redeliveryWindow))
      yield { kind: 'warning', at, name: 'inbox-retention', ...short }
  }
  const count = visible.find(({ name }) => name === topic)?.partitions.length ?? 0
  if (count === 1)
    yield {
      kind: 'warning',
      at,
      name: 'inbox-one-partition',
      message: `The inbox "${topic}" has one partition, so one instance at a time works it off.`,
      suggestion:
        'Give it at least as many partitions as there will ever be instances, before the first event.',
    }
  else if (count > 1)
    yield* idleWorkers({
      ...{ at, workers, partitions: count, subject: `The inbox "${topic}" has` },
      remedy: 'give the inbox more partitions before the first event',
    })
  const written = [...new Set(targets.map(({ target }) => target.topic))].filter((name) => name !== topic)
  yield {
    kind: 'warning',
    at,
    name: 'inbox-readers',
    message: `Kafka does not report how ${written.map((name) => `"${name}"`).join(', ')} are read: a reader without isolation.level=read_committed also gets records of aborted transactions, which come again.`,
    suggestion:
      'Set isolation.level=read_committed in every reader. Then silence this warning with "// headgate-ignore: inbox-readers", and say where that is held.',
  }
}

/** Whether the user may use the transactions that instances which share work need. */
export function* transactionFindings(
  transactions: TransactionSupport | undefined,
  why: string,
  at: string,
  group: string,
  cluster: ClientSettings,
): Generator<Probed> {
  const ids = `transactional ids that begin with "${transactionalIdPrefix(group)}"`
  switch (transactions?.kind) {
    case 'allowed':
      yield { kind: 'checked', message: `The cluster has transactions, and the user may use ${ids}.` }
      break
    case 'not-allowed':
      yield { kind: 'error', at, ...transactionsNotAllowed(cluster, group) }
      break
    case 'unsupported':
      yield { kind: 'error', at, ...noTransactions(transactions.why) }
      break
    default:
      yield {
        kind: 'unchecked',
        message: `Whether the user may use ${ids} could not be found out: ${transactions?.why ?? why}.`,
      }
  }
}
