import { ERRORS, type ErrorCode } from '../contract/errors.js'
import { metric, OUTCOMES } from '../contract/index.js'

/** Seconds. Each bucket is a series of every stage of every pipeline: these only tell which stage takes the time. */
const STAGE_BUCKETS = [0.001, 0.01, 0.1, 1]
const COMMIT_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]
/** From a response at once to a sender that is down. */
const ACK_BUCKETS = [0.025, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600]

/** How events of an inbox end. */
export const INBOX_OUTCOMES = ['delivered', 'duplicate', 'dropped', 'dead-lettered'] as const

/** Why a connection of HTTP/2 is closed. */
export const HTTP2_FAULTS = ['resets', 'frames', 'settings', 'unread', 'protocol'] as const
const LISTENERS = ['intake', 'admin'] as const

/** Labels whose values the config decides. */
const pipeline = { pipeline: [] } as const
const stage = { ...pipeline, stage: [], plugin: [] } as const

/** Codes of bad data behind the source: any of these can make a dead letter. */
export const DEAD_LETTER_CODES = (Object.keys(ERRORS) as ErrorCode[]).filter(
  (code) => ERRORS[code].kind === 'data' && !code.startsWith('HG_INTAKE'),
)

/** How a stage ends for an event; only a source limits requests and answers handshakes. */
export const STAGE_OUTCOMES = [
  'passed',
  'dropped',
  'rejected',
  'limited',
  'dead-lettered',
  'unavailable',
  'handshake',
] as const

export const ATTEMPT_OUTCOMES = ['acknowledged', 'retry', 'gave-up'] as const

export const RELOAD_RESULTS = ['success', 'unchanged', 'failure'] as const

/** Every metric of the engine. Plugins declare theirs in their definitions. */
export const METRICS = {
  ready: metric({ name: 'ready', type: 'gauge', help: '1 if events can be taken, as /ready says.' }),

  eventsTotal: metric({
    name: 'events_total',
    type: 'counter',
    help: 'Events received, and handshakes of senders, by outcome.',
    labels: { ...pipeline, outcome: OUTCOMES },
  }),
  inflightEvents: metric({
    name: 'inflight_events',
    type: 'gauge',
    help: 'Events in flight: received, and without an outcome yet.',
    labels: pipeline,
  }),
  inflightEventsLimit: metric({
    name: 'inflight_events_limit',
    type: 'gauge',
    help: 'Most events in flight, as `maxInFlight` of the source says; at this limit senders get 503. Absent for a source without a limit.',
    labels: pipeline,
    combine: 'max',
  }),
  commitDurationSeconds: metric({
    name: 'commit_duration_seconds',
    type: 'histogram',
    help: 'Time from receiving an event to its commit in Kafka.',
    labels: pipeline,
    buckets: COMMIT_BUCKETS,
  }),
  deadLettersTotal: metric({
    name: 'dead_letters_total',
    type: 'counter',
    help: 'Dead letters, by stage and error code.',
    labels: { ...pipeline, stage: [], code: DEAD_LETTER_CODES },
  }),
  stageEventsTotal: metric({
    name: 'stage_events_total',
    type: 'counter',
    help: 'Events that a stage has finished with, by its verdict.',
    labels: { ...stage, outcome: STAGE_OUTCOMES },
  }),
  stageDurationSeconds: metric({
    name: 'stage_duration_seconds',
    type: 'histogram',
    help: 'Time that an event spends in a stage.',
    labels: stage,
    buckets: STAGE_BUCKETS,
  }),
  pipelinePaused: metric({
    name: 'pipeline_paused',
    type: 'gauge',
    help: '1 if an operator has paused or stopped the pipeline.',
    labels: pipeline,
    combine: 'max',
  }),

  ackAttemptsTotal: metric({
    name: 'ack_attempts_total',
    type: 'counter',
    help: 'Attempts to acknowledge events to their sender, by result.',
    labels: { ...pipeline, outcome: ATTEMPT_OUTCOMES },
  }),
  ackDurationSeconds: metric({
    name: 'ack_duration_seconds',
    type: 'histogram',
    help: 'Time from the commit in Kafka to the acknowledgement.',
    labels: pipeline,
    buckets: ACK_BUCKETS,
  }),

  ledgerPending: metric({
    name: 'ledger_pending',
    type: 'gauge',
    help: 'Pending acknowledgements: events that are in Kafka and not yet acknowledged.',
    labels: pipeline,
  }),
  ledgerPendingLimit: metric({
    name: 'ledger_pending_limit',
    type: 'gauge',
    help: 'Most pending acknowledgements, as `maxPending` says; at this limit senders get 503, or events stay in the inbox.',
    labels: pipeline,
  }),
  ledgerOldestPendingSeconds: metric({
    name: 'ledger_oldest_pending_seconds',
    type: 'gauge',
    help: 'Age of the oldest pending acknowledgement.',
    labels: pipeline,
    combine: 'max',
  }),
  ledgerFailed: metric({
    name: 'ledger_failed',
    type: 'gauge',
    help: 'Failed acknowledgements: Headgate no longer retries them. With an inbox, those of this instance since its start that are still open.',
    labels: pipeline,
  }),
  ledgerWindowSeconds: metric({
    name: 'ledger_window_seconds',
    type: 'gauge',
    help: 'Duplicates are detected for events received within this time.',
    labels: pipeline,
    combine: 'min',
  }),
  ledgerWindowConfiguredSeconds: metric({
    name: 'ledger_window_configured_seconds',
    type: 'gauge',
    help: 'The time within which duplicates are to be detected, as `redelivery.window` says.',
    labels: pipeline,
    combine: 'max',
  }),
  ledgerReplacedPartitions: metric({
    name: 'ledger_replaced_partitions',
    type: 'gauge',
    help: 'Partitions whose log was found replaced since the start: duplicates of their events are no longer detected.',
    labels: pipeline,
  }),
  ledgerSameIdOtherBytes: metric({
    name: 'ledger_same_id_other_bytes',
    type: 'gauge',
    help: 'Events since the start that had the id of an earlier event and other bytes. A lower bound.',
    labels: pipeline,
  }),
  ledgerUnprovenRecords: metric({
    name: 'ledger_unproven_records',
    type: 'gauge',
    help: 'Records found in the log since the start that name the pipeline without a proof that it wrote them.',
    labels: pipeline,
  }),

  inboxEventsTotal: metric({
    name: 'inbox_events_total',
    type: 'counter',
    help: 'Events of the inbox that this instance has worked off, by outcome.',
    labels: { ...pipeline, outcome: INBOX_OUTCOMES },
  }),
  inboxDelaySeconds: metric({
    name: 'inbox_delay_seconds',
    type: 'histogram',
    help: 'Time from the acceptance of an event to the commit of the transaction that works it off; by the clocks of two instances.',
    labels: pipeline,
    buckets: COMMIT_BUCKETS,
  }),
  inboxPartitionsInUse: metric({
    name: 'inbox_partitions_in_use',
    type: 'gauge',
    help: 'Partitions that the inbox uses, whichever instances own them.',
    labels: pipeline,
    combine: 'max',
  }),
  inboxPartitions: metric({
    name: 'inbox_partitions',
    type: 'gauge',
    help: 'Partitions of the inbox that this instance owns.',
    labels: pipeline,
  }),
  inboxLag: metric({
    name: 'inbox_lag_events',
    type: 'gauge',
    help: 'Records in the partitions that this instance owns which are not worked off, aborted ones included.',
    labels: pipeline,
  }),
  inboxOldestSeconds: metric({
    name: 'inbox_oldest_seconds',
    type: 'gauge',
    help: 'Age of the oldest record in the partitions that this instance owns which is not worked off, by the clocks of two instances; 0 if there is none.',
    labels: pipeline,
    combine: 'max',
  }),
  inboxRetentionSeconds: metric({
    name: 'inbox_retention_seconds',
    type: 'gauge',
    help: 'Time for which the inbox keeps records, as `retention.ms` of its topic says; absent if there is no bound, or if the user of the sink lacks the right DescribeConfigs.',
    labels: pipeline,
    combine: 'min',
  }),
  inboxRestoringPartitions: metric({
    name: 'inbox_restoring_partitions',
    type: 'gauge',
    help: 'Partitions of these that are being read back, and not worked off yet.',
    labels: pipeline,
  }),
  inboxRebalancesTotal: metric({
    name: 'inbox_rebalances_total',
    type: 'counter',
    help: 'Changes of the partitions that this instance owns.',
    labels: { ...pipeline, change: ['assigned', 'revoked'] },
  }),
  inboxTransactionsTotal: metric({
    name: 'inbox_transactions_total',
    type: 'counter',
    help: 'Transactions by result; all but the committed ones were aborted, and their events are worked off later.',
    labels: { ...pipeline, result: ['committed', 'fenced', 'refused', 'unavailable'] },
  }),
  inboxTransactionDurationSeconds: metric({
    name: 'inbox_transaction_duration_seconds',
    type: 'histogram',
    help: 'Duration of a transaction, from its begin to its commit or abort.',
    labels: pipeline,
    buckets: COMMIT_BUCKETS,
  }),

  httpResponsesTotal: metric({
    name: 'http_responses_total',
    type: 'counter',
    help: 'Responses to requests, by status.',
    labels: { ...pipeline, code: [] },
  }),
  httpConnections: metric({
    name: 'http_connections',
    type: 'gauge',
    help: 'Open connections of senders. With HTTP/2, each further open request of a connection counts as one.',
  }),
  httpConnectionsLimit: metric({
    name: 'http_connections_limit',
    type: 'gauge',
    help: 'Most connections of senders, as HEADGATE_MAX_CONNECTIONS says.',
  }),
  httpConnectionsRefusedTotal: metric({
    name: 'http_connections_refused_total',
    type: 'counter',
    help: 'Connections of senders that were closed at once because HEADGATE_MAX_CONNECTIONS were open, each with a request under way.',
  }),
  http2ConnectionsClosedTotal: metric({
    name: 'http2_connections_closed_total',
    type: 'counter',
    help: 'Connections of HTTP/2 that were closed because their sender exceeded a limit or broke the protocol, by reason.',
    labels: { reason: HTTP2_FAULTS },
  }),
  httpBodyBytes: metric({
    name: 'http_body_bytes',
    type: 'gauge',
    help: 'Bytes of bodies that are coming in and of events in flight.',
  }),
  httpBodyLimitBytes: metric({
    name: 'http_body_limit_bytes',
    type: 'gauge',
    help: 'Most bytes of these, as HEADGATE_MAX_BODY_MEMORY says.',
  }),

  configReloadsTotal: metric({
    name: 'config_reloads_total',
    type: 'counter',
    help: 'Reloads of the config, by result.',
    labels: { result: RELOAD_RESULTS },
  }),
  configRevisionInfo: metric({
    name: 'config_revision_info',
    type: 'gauge',
    help: 'The revision of the running config.',
    labels: { revision: [] },
  }),
  configLastReloadSuccessful: metric({
    name: 'config_last_reload_successful',
    type: 'gauge',
    help: '1 if the config on disk, when last read, is the running one.',
  }),
  configLastReloadSuccessTimestampSeconds: metric({
    name: 'config_last_reload_success_timestamp_seconds',
    type: 'gauge',
    help: 'Time of the last successful read of the config.',
  }),

  tlsCertificateReloadsTotal: metric({
    name: 'tls_certificate_reloads_total',
    type: 'counter',
    help: 'Attempts to load a certificate whose files had changed, by result.',
    labels: { listener: LISTENERS, result: ['success', 'failure'] },
  }),
  tlsHandshakesFailedTotal: metric({
    name: 'tls_handshakes_failed_total',
    type: 'counter',
    help: 'Failed TLS handshakes, by reason.',
    labels: { listener: LISTENERS, reason: ['plain-http', 'client-certificate', 'too-slow', 'failed'] },
  }),
  tlsCertificateExpiryTimestampSeconds: metric({
    name: 'tls_certificate_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'Time at which the certificate in use expires: the earliest of its chain.',
    labels: { listener: LISTENERS },
  }),
  tlsCertificateLastReloadSuccessful: metric({
    name: 'tls_certificate_last_reload_successful',
    type: 'gauge',
    help: '1 if the certificate files, when last read, are the ones in use.',
    labels: { listener: LISTENERS },
  }),

  tapSubscribers: metric({
    name: 'tap_subscribers',
    type: 'gauge',
    help: 'Open `headgate tap` sessions.',
  }),
  tapSkippedTotal: metric({
    name: 'tap_skipped_total',
    type: 'counter',
    help: 'Events that matched a tap and were not shown, because of its rate or a slow reader.',
  }),

  workers: metric({ name: 'workers', type: 'gauge', help: 'Workers that take events.' }),
  workersConfigured: metric({
    name: 'workers_configured',
    type: 'gauge',
    help: 'Number of workers, as HEADGATE_WORKERS says.',
  }),
  workerCpuSecondsTotal: metric({
    name: 'worker_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of a worker and of its predecessors; that of the primary process is process_cpu_seconds_total.',
    labels: { worker: [] },
  }),
  workerResidentMemoryBytes: metric({
    name: 'worker_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory of a worker; that of the primary process is process_resident_memory_bytes.',
    labels: { worker: [] },
  }),
  workerRestartsTotal: metric({
    name: 'worker_restarts_total',
    type: 'counter',
    help: 'Restarts of workers that ended unexpectedly.',
  }),
} as const
