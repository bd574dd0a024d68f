import { type Alert, MINUTE } from './alert.js'
import type { Pace } from './pace.js'
import { INBOX_LAG } from './rules.js'

/** The instances of a pipeline share its partitions, also those that Prometheus scrapes as different jobs. */
const BY = 'by (namespace, pipeline)'
const RETENTION = `min ${BY} (headgate_inbox_retention_seconds)`

/** Fewer may be between two polls, or the markers of the transactions of other programs. */
const FEWEST_WAITING = 100
/** One record that Kafka refuses makes about ten, a rolling restart a few. */
const USUAL_ABORTS = 30

/** About events that are durable in an inbox, or in a topic of the source `kafka`, and not yet delivered. */
export const inboxAlerts = ({ span, seconds }: Pace): readonly Alert[] => [
  {
    alert: 'HeadgateInboxPartitionsIdle',
    expr: `max ${BY} (headgate_inbox_partitions_in_use) - sum ${BY} (headgate_inbox_partitions - headgate_inbox_restoring_partitions) > 0 or sum ${BY} (headgate_inbox_partitions) == 0`,
    for: span(5 * MINUTE),
    severity: 'critical',
    summary: 'No instance works off some partitions of the inbox of pipeline {{ $labels.pipeline }}.',
    description:
      'Events in them are not delivered, although their senders have got `accepted`. The instances cannot join the group, or cannot read a partition back.',
  },
  {
    alert: 'HeadgateInboxRetentionShort',
    expr: ['headgate_inbox_oldest_seconds', 'headgate_ledger_oldest_pending_seconds']
      .map((age) => `max ${BY} (${age}) > 0.5 * ${RETENTION}`)
      .join(' or '),
    for: span(5 * MINUTE),
    severity: 'critical',
    summary:
      'The inbox of pipeline {{ $labels.pipeline }} has had an unfinished event for {{ $value | humanizeDuration }}: half of its retention.',
    description:
      'It is not worked off, or not acknowledged. At the end of the retention Kafka deletes it: a record that was never delivered is lost then, and an acknowledgement is never made.',
  },
  {
    alert: 'HeadgateInboxBacklogOld',
    expr: `max ${BY} (headgate_inbox_oldest_seconds) > ${seconds(10 * MINUTE)}`,
    for: span(5 * MINUTE),
    severity: 'warning',
    summary:
      'An event has waited in the inbox of pipeline {{ $labels.pipeline }} for {{ $value | humanizeDuration }}.',
    description:
      'It is durable, and its record is not in its topic. A target cannot be written, the sender is not acknowledged and `maxPending` is reached, or more events come in than are worked off.',
  },
  {
    alert: 'HeadgateInboxLagGrowing',
    expr: `${INBOX_LAG} > ${seconds(MINUTE)} * sum ${BY} (rate(headgate_inbox_events_total[${span(10 * MINUTE)}])) and ${INBOX_LAG} > ${FEWEST_WAITING} and deriv(${INBOX_LAG}[${span(30 * MINUTE)}]) > 0`,
    for: span(15 * MINUTE),
    severity: 'warning',
    summary:
      '{{ $value | humanize }} events wait in the inbox of pipeline {{ $labels.pipeline }}, and they become more.',
    description:
      'The instances need more than a minute to work them off, even if nothing else comes. More instances help, up to one for each partition.',
  },
  {
    alert: 'HeadgateInboxTransactionsAborted',
    expr: `sum by (namespace, pipeline, result) (increase(headgate_inbox_transactions_total{result!="committed"}[${span(10 * MINUTE)}])) > ${USUAL_ABORTS}`,
    for: span(5 * MINUTE),
    severity: 'warning',
    summary:
      '{{ $value | humanize }} transactions of pipeline {{ $labels.pipeline }} were aborted within ten minutes ({{ $labels.result }}).',
    description:
      'Their events are worked off again, so nothing is lost and nothing comes twice; but they are late. The log of the instances has the reason.',
  },
]
