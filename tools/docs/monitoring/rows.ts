import { ofPipeline, ofProcess, type Panel, quantile, quantiles, query, type Row, rate } from './panel.js'
import { ERROR_BUDGET, errorRatio } from './rules.js'

const responses = (matchers = '') => `sum(${rate(ofPipeline('headgate_http_responses_total', matchers))})`
const recorded = (name: string) => `${name}{namespace=~"$namespace",pipeline=~"$pipeline"}`
const pending = ofPipeline('headgate_ledger_pending')
const oldest = ofPipeline('headgate_ledger_oldest_pending_seconds')

/** Five of them make the first row. */
const TILE = 5
const stat = (panel: Omit<Panel, 'type' | 'width'>, width = TILE): Panel => ({
  ...panel,
  type: 'stat',
  width,
})
const chart = (panel: Omit<Panel, 'type' | 'width'>, width = 8): Panel => ({
  ...panel,
  type: 'timeseries',
  width,
})

const events = (matchers = '') => `sum(${rate(ofPipeline('headgate_events_total', matchers))})`

const health: Row = {
  title: 'Is it well?',
  panels: [
    stat({
      title: 'Takes events',
      description: 'Whether every process takes events. GET /ready says why not.',
      unit: 'short',
      queries: [query(`min(${ofProcess('headgate_ready')})`, 'ready')],
      bad: { at: 1, badBelow: true },
      words: { 0: 'no', 1: 'yes' },
      runbook: 'HeadgateNotReady',
    }),
    stat({
      title: 'Responses without 5xx',
      description: 'Objective: 99.9 %. An event with the response 503 is kept by its sender and sent again.',
      unit: 'percentunit',
      queries: [query(`1 - ${responses('code=~"5.."')} / ${responses()}`, 'share')],
      bad: { at: 1 - ERROR_BUDGET, badBelow: true },
      runbook: 'HeadgateErrorBudgetBurnFast',
    }),
    stat({
      title: 'Time to Kafka, p99',
      description:
        'From received to committed in Kafka: what a sender waits for. The log names the slow ones (`a slow event`).',
      unit: 's',
      queries: [query(quantile(0.99, 'headgate_commit_duration_seconds'), 'p99')],
      bad: { at: 1 },
      runbook: 'HeadgateKafkaStalled',
    }),
    stat({
      title: 'Rejected or dead-lettered',
      description:
        'The share of events that were rejected or became dead letters. The console has the reasons.',
      unit: 'percentunit',
      queries: [query(`${events('outcome=~"rejected|dead-lettered"')} / ${events()}`, 'share')],
      bad: { at: 0.01 },
      runbook: 'HeadgateDeadLetters',
    }),
    stat(
      {
        title: 'Oldest pending acknowledgement',
        description: 'Age of the oldest event that is in Kafka and not yet acknowledged to its sender.',
        unit: 's',
        queries: [query(`max(${oldest})`, 'age')],
        bad: { at: 600 },
        runbook: 'HeadgateLedgerBacklogOld',
      },
      4,
    ),
  ],
}

const overview: Row = {
  title: 'Overview',
  panels: [
    chart({
      title: 'Events by outcome',
      description: 'Every event ends in exactly one outcome.',
      unit: 'ops',
      stacked: true,
      queries: [query(`sum by (outcome) (${rate(ofPipeline('headgate_events_total'))})`, '{{outcome}}')],
    }),
    chart({
      title: 'Error budget burn',
      description:
        'Responses of 5xx as a multiple of what the objective allows. Above 14.4 over an hour, and above 6 over six hours, there is an alert.',
      unit: 'short',
      queries: (['5m', '1h', '6h'] as const).map((range) =>
        query(`max(${recorded(errorRatio(range))}) / ${ERROR_BUDGET}`, range),
      ),
      bad: { at: 14.4 },
      runbook: 'HeadgateErrorBudgetBurnFast',
    }),
    {
      title: 'Alerts',
      description: 'Alerts that fire now. docs/runbooks has a page for each.',
      type: 'table',
      unit: 'short',
      width: 8,
      queries: [
        query(
          'count by (alertname, severity, instance, pipeline) (ALERTS{alertname=~"Headgate.+",alertstate="firing",namespace=~"$namespace"})',
          '{{alertname}}',
        ),
      ],
    },
    stat(
      {
        title: 'Config',
        description: 'Whether the config on disk is what runs, in every process.',
        unit: 'short',
        queries: [query(`min(${ofProcess('headgate_config_last_reload_successful')})`, 'config')],
        bad: { at: 1, badBelow: true },
        words: { 0: 'refused', 1: 'in use' },
        runbook: 'HeadgateConfigReloadFailed',
      },
      6,
    ),
    stat(
      {
        title: 'Events',
        description: 'Events a second, however they ended.',
        unit: 'ops',
        queries: [query(events(), 'events')],
      },
      6,
    ),
    stat(
      {
        title: 'Pending acknowledgements',
        description: 'Events that are durable in Kafka and not yet acknowledged to their sender.',
        unit: 'short',
        queries: [query(`sum(${pending})`, 'pending')],
      },
      6,
    ),
    stat(
      {
        title: 'Failed acknowledgements',
        description:
          'Acknowledgements that are no longer retried: `headgate ledger`, `headgate ledger retry`.',
        unit: 'short',
        queries: [query(`sum(${ofPipeline('headgate_ledger_failed')})`, 'failed')],
        bad: { at: 1 },
        runbook: 'HeadgateAcknowledgementsGivenUp',
      },
      6,
    ),
  ],
}

const intake: Row = {
  title: 'Intake',
  panels: [
    chart({
      title: 'Responses by status',
      description:
        '401 is a sender with a wrong secret, 403 one in a network that is not allowed, 429 one that sends more than `rateLimit` allows, 400 and 422 bad data, 503 a fault or a limit of ours.',
      unit: 'ops',
      stacked: true,
      queries: [
        query(`sum by (code) (${rate(ofPipeline('headgate_http_responses_total'))}) > 0`, '{{code}}'),
      ],
    }),
    chart({
      title: 'Responses that belong to no pipeline',
      description:
        'Unknown paths, requests that are not HTTP, and what came while Headgate was starting or stopping.',
      unit: 'ops',
      stacked: true,
      queries: [
        query(
          `sum by (code) (${rate(ofProcess('headgate_http_responses_total', 'pipeline="none"'))})`,
          '{{code}}',
        ),
      ],
    }),
    chart({
      title: 'Requests beyond a rate limit',
      description:
        'Their senders got 429 and try again, by the limit of `rateLimit`: `headgate tap --refused`.',
      unit: 'ops',
      stacked: true,
      queries: [
        query(`sum by (limit) (${rate(ofPipeline('headgate_rate_limited_requests_total'))})`, '{{limit}}'),
      ],
    }),
    chart({
      title: 'From received to committed',
      description: 'The time that senders wait, without the network between.',
      unit: 's',
      queries: quantiles('headgate_commit_duration_seconds'),
    }),
    chart({
      title: 'Events in flight',
      description:
        'Received, and their path has not ended. At the limit (`maxInFlight`) senders are answered 503. Paused is 1 where an operator has paused or stopped the pipeline.',
      unit: 'short',
      queries: [
        query(`sum by (pipeline) (${ofPipeline('headgate_inflight_events')})`, '{{pipeline}}'),
        query(`sum by (pipeline) (${ofPipeline('headgate_inflight_events_limit')})`, '{{pipeline}} limit'),
        query(`max by (pipeline) (${ofPipeline('headgate_pipeline_paused')})`, '{{pipeline}} paused'),
      ],
    }),
    chart({
      title: 'Connections of senders',
      description: 'At the limit (HEADGATE_MAX_CONNECTIONS) new ones are closed at once.',
      unit: 'short',
      queries: [
        query(`sum by (instance) (${ofProcess('headgate_http_connections')})`, '{{instance}}'),
        query(`min(${ofProcess('headgate_http_connections_limit')})`, 'limit'),
        query(`sum(${rate(ofProcess('headgate_http_connections_refused_total'))})`, 'refused a second'),
      ],
    }),
    chart({
      title: 'Memory for bodies',
      description: 'At the limit (HEADGATE_MAX_BODY_MEMORY) senders are answered 503.',
      unit: 'bytes',
      queries: [
        query(`sum by (instance) (${ofProcess('headgate_http_body_bytes')})`, '{{instance}}'),
        query(`min(${ofProcess('headgate_http_body_limit_bytes')})`, 'limit'),
      ],
    }),
  ],
}

const stages: Row = {
  title: 'Stages',
  panels: [
    chart({
      title: 'Events by stage',
      description: 'Events that each stage has finished with.',
      unit: 'ops',
      queries: [query(`sum by (stage) (${rate(ofPipeline('headgate_stage_events_total'))})`, '{{stage}}')],
    }),
    chart({
      title: 'Not passed, by stage',
      description:
        'Rejected, dropped, dead-lettered, or unavailable where something that the stage needs fails.',
      unit: 'ops',
      queries: [
        query(
          `sum by (stage, outcome) (${rate(ofPipeline('headgate_stage_events_total', 'outcome!="passed"'))})`,
          '{{stage}} {{outcome}}',
        ),
      ],
    }),
    chart({
      title: 'Time in a stage, p99',
      description: 'The sink waits for Kafka, the post-commit stage for the API of the sender.',
      unit: 's',
      queries: [query(quantile(0.99, 'headgate_stage_duration_seconds', 'stage'), '{{stage}}')],
    }),
  ],
}

const routes: Row = {
  title: 'Routes',
  panels: [
    chart(
      {
        title: 'Events by rule',
        description: 'The first rule that matches decides; otherwise takes the rest.',
        unit: 'ops',
        stacked: true,
        queries: [query(`sum by (rule) (${rate(ofPipeline('headgate_route_matches_total'))})`, '{{rule}}')],
      },
      16,
    ),
    {
      title: 'Matches in this time',
      description: 'A rule with none may be one that can never match.',
      type: 'bargauge',
      unit: 'short',
      width: 8,
      queries: [
        query(
          `sum by (rule) (increase(${ofPipeline('headgate_route_matches_total')}[$__range]))`,
          '{{rule}}',
        ),
      ],
    },
  ],
}

const kafka: Row = {
  title: 'Kafka',
  panels: [
    chart({
      title: 'Records not confirmed',
      description:
        'Sent, and no delivery report yet, by the Kafka client. Growing, while nothing is committed: Kafka has stalled.',
      unit: 'short',
      queries: [
        query(`sum by (sink) (${ofProcess('headgate_kafka_records_outstanding')})`, '{{sink}}'),
        query(
          `sum by (sink) (${ofProcess('headgate_kafka_producer_queue_messages')})`,
          '{{sink}} in the client',
        ),
      ],
    }),
    chart({
      title: 'Bytes in the client',
      description: 'Of the records that the Kafka client holds.',
      unit: 'bytes',
      queries: [query(`sum by (sink) (${ofProcess('headgate_kafka_producer_queue_bytes')})`, '{{sink}}')],
    }),
    chart({
      title: 'Events committed',
      description: 'Confirmed by all in-sync replicas, dead letters too.',
      unit: 'ops',
      queries: [
        query(
          `sum by (pipeline) (${rate(ofPipeline('headgate_commit_duration_seconds_count'))})`,
          '{{pipeline}}',
        ),
      ],
    }),
    chart({
      title: 'Brokers connected',
      description: '1 where the connection is open.',
      unit: 'short',
      queries: [query(`min by (broker) (${ofProcess('headgate_kafka_broker_up')})`, '{{broker}}')],
      bad: { at: 1, badBelow: true },
    }),
    chart({
      title: 'Round trip to brokers, p99',
      description: 'From a request to its response. With acks=all it has the replication in it.',
      unit: 's',
      queries: [
        query(
          `max by (broker) (${ofProcess('headgate_kafka_broker_rtt_seconds', 'quantile="p99"')})`,
          '{{broker}}',
        ),
      ],
    }),
    chart({
      title: 'Errors of connections',
      description: 'Failed and timed out requests of the present session.',
      unit: 'short',
      queries: [
        query(
          `sum by (broker, direction) (${ofProcess('headgate_kafka_broker_errors')})`,
          '{{broker}} {{direction}}',
        ),
      ],
    }),
  ],
}

const acknowledging: Row = {
  title: 'Acknowledgements and ledger',
  panels: [
    chart({
      title: 'Attempts by outcome',
      description: 'retry is tried again later; what gave up is not.',
      unit: 'ops',
      stacked: true,
      queries: [
        query(`sum by (outcome) (${rate(ofPipeline('headgate_ack_attempts_total'))})`, '{{outcome}}'),
      ],
    }),
    chart({
      title: 'From committed to acknowledged',
      description: 'How long a sender waits for the acknowledgement after the event is in Kafka.',
      unit: 's',
      queries: quantiles('headgate_ack_duration_seconds'),
    }),
    chart({
      title: 'Access token expires in',
      description: 'It is renewed at four fifths of its life, as long as there is something to acknowledge.',
      unit: 's',
      queries: [
        query(
          `min by (pipeline) (${ofPipeline('headgate_oauth_token_expiry_timestamp_seconds')}) - time()`,
          '{{pipeline}}',
        ),
      ],
    }),
    chart({
      title: 'Pending acknowledgements by pipeline',
      description: 'At the limit (`maxPending`) new events are answered 503.',
      unit: 'short',
      queries: [
        query(`sum by (pipeline) (${pending})`, '{{pipeline}}'),
        query(`sum by (pipeline) (${ofPipeline('headgate_ledger_pending_limit')})`, '{{pipeline}} limit'),
      ],
    }),
    chart({
      title: 'Age of the oldest, and failed',
      description:
        'The age is in seconds, on the left. A partition was replaced if its topic was created again, or is that of another cluster.',
      unit: 'short',
      queries: [
        query(`max by (pipeline) (${oldest})`, '{{pipeline}} age'),
        query(`sum by (pipeline) (${ofPipeline('headgate_ledger_failed')})`, '{{pipeline}} failed'),
        query(
          `sum by (pipeline) (${ofPipeline('headgate_ledger_replaced_partitions')})`,
          '{{pipeline}} partitions replaced',
        ),
      ],
    }),
    chart({
      title: 'Replaced logs, unproven records, ids with other bytes',
      description:
        'Since the start: partitions that had another log than before, records that name the pipeline without a proof that it wrote them, and events with the id of an earlier one and other bytes.',
      unit: 'short',
      queries: [
        query(
          `sum by (pipeline) (${ofPipeline('headgate_ledger_replaced_partitions')})`,
          '{{pipeline}} replaced',
        ),
        query(
          `sum by (pipeline) (${ofPipeline('headgate_ledger_unproven_records')})`,
          '{{pipeline}} unproven',
        ),
        query(
          `sum by (pipeline) (${ofPipeline('headgate_ledger_same_id_other_bytes')})`,
          '{{pipeline}} same id, other bytes',
        ),
      ],
    }),
    chart({
      title: 'Redelivery window',
      description:
        'How far back redeliveries are recognised. It grows after the first start; where it falls below what is configured, `redelivery.entries` is too small.',
      unit: 's',
      queries: [
        query(`min by (pipeline) (${ofPipeline('headgate_ledger_window_seconds')})`, '{{pipeline}}'),
        query(
          `max by (pipeline) (${ofPipeline('headgate_ledger_window_configured_seconds')})`,
          '{{pipeline}} configured',
        ),
      ],
    }),
  ],
}

const deadLetters: Row = {
  title: 'Dead letters',
  panels: [
    chart(
      {
        title: 'Dead letters by stage and code',
        description: '`headgate dlq list` shows them; `headgate help CODE` explains a code.',
        unit: 'ops',
        stacked: true,
        queries: [
          query(
            `sum by (stage, code) (${rate(ofPipeline('headgate_dead_letters_total'))}) > 0`,
            '{{stage}} {{code}}',
          ),
        ],
      },
      16,
    ),
    {
      title: 'In this time',
      description: 'Dead letters by code.',
      type: 'bargauge',
      unit: 'short',
      width: 8,
      queries: [
        query(
          `sum by (code) (increase(${ofPipeline('headgate_dead_letters_total')}[$__range])) > 0`,
          '{{code}}',
        ),
      ],
    },
  ],
}

const inbox: Row = {
  title: 'Inbox',
  collapsed: true,
  panels: [
    chart({
      title: 'Events worked off',
      description: 'Events that were accepted into the inbox, by the way in which they ended.',
      unit: 'ops',
      stacked: true,
      queries: [
        query(`sum by (outcome) (${rate(ofPipeline('headgate_inbox_events_total'))})`, '{{outcome}}'),
      ],
    }),
    chart({
      title: 'From accepted to delivered',
      description: 'Grows with the backlog of the inbox: the lag of the group headgate.PIPELINE.',
      unit: 's',
      queries: quantiles('headgate_inbox_delay_seconds'),
    }),
    chart({
      title: 'Not worked off, not acknowledged',
      description:
        'Records of the inbox, or of the topics of a source kafka, that wait in the partitions of all instances together, and events that are worked off and whose acknowledgement is pending.',
      unit: 'short',
      queries: [
        query(`sum(${ofPipeline('headgate_inbox_lag_events')})`, 'not worked off'),
        query(`sum(${pending} and ${ofPipeline('headgate_inbox_partitions')})`, 'not acknowledged'),
      ],
      runbook: 'HeadgateInboxLagGrowing',
    }),
    chart({
      title: 'Age of the oldest',
      description:
        'Of the events that are not worked off, and of those that are not acknowledged. Beyond the retention of the inbox, events are lost.',
      unit: 's',
      queries: [
        query(`max(${ofPipeline('headgate_inbox_oldest_seconds')})`, 'not worked off'),
        query(`max(${oldest} and ${ofPipeline('headgate_inbox_partitions')})`, 'not acknowledged'),
        query(`min(${ofPipeline('headgate_inbox_retention_seconds')})`, 'retention limit'),
      ],
      runbook: 'HeadgateInboxBacklogOld',
    }),
    chart({
      title: 'Not worked off, by instance',
      description:
        'One instance far above the others: its partitions wait for a target, or it has too little CPU.',
      unit: 'short',
      queries: [query(`sum by (instance) (${ofPipeline('headgate_inbox_lag_events')})`, '{{instance}}')],
    }),
    chart({
      title: 'Partitions',
      description:
        'Partitions that each instance owns, those of them that are still read back, and those that no instance works off.',
      unit: 'short',
      queries: [
        query(`sum by (instance) (${ofPipeline('headgate_inbox_partitions')})`, '{{instance}}'),
        query(
          `sum by (instance) (${ofPipeline('headgate_inbox_restoring_partitions')})`,
          '{{instance}} read back',
        ),
        query(
          `sum(max by (namespace, pipeline) (${ofPipeline('headgate_inbox_partitions_in_use')}) - sum by (namespace, pipeline) (${ofPipeline('headgate_inbox_partitions')}))`,
          'without an owner',
        ),
      ],
      runbook: 'HeadgateInboxPartitionsIdle',
    }),
    chart({
      title: 'Rebalances',
      description: 'Changes of the partitions that instances own: each start, stop and failure makes some.',
      unit: 'ops',
      queries: [
        query(`sum by (change) (${rate(ofPipeline('headgate_inbox_rebalances_total'))})`, '{{change}}'),
      ],
    }),
    chart({
      title: 'Transactions',
      description:
        'By result. A fenced one is usual in a rebalance; refused and unavailable ones are repeated, and the log has the reason.',
      unit: 'ops',
      stacked: true,
      queries: [
        query(`sum by (result) (${rate(ofPipeline('headgate_inbox_transactions_total'))})`, '{{result}}'),
      ],
      runbook: 'HeadgateInboxTransactionsAborted',
    }),
    chart({
      title: 'Duration of transactions',
      description: 'From the begin to the commit or abort.',
      unit: 's',
      queries: quantiles('headgate_inbox_transaction_duration_seconds'),
    }),
  ],
}

const process: Row = {
  title: 'Process',
  panels: [
    chart({
      title: 'CPU',
      description:
        '1 is one core. JavaScript has one thread; librdkafka and the garbage collector have their own.',
      unit: 'short',
      queries: [query(`sum by (instance) (${rate(own('process_cpu_seconds_total'))})`, '{{instance}}')],
    }),
    chart({
      title: 'Memory',
      description: 'Resident, and what JavaScript uses of it.',
      unit: 'bytes',
      queries: [
        query(own('process_resident_memory_bytes'), '{{instance}}'),
        query(own('nodejs_heap_size_used_bytes'), '{{instance}} heap'),
      ],
    }),
    chart({
      title: 'Event loop lag, p99',
      description: 'How late the process reacts.',
      unit: 's',
      queries: [query(own('nodejs_eventloop_lag_p99_seconds'), '{{instance}}')],
      bad: { at: 0.5 },
    }),
    chart({
      title: 'Garbage collection',
      description: 'Seconds of a second.',
      unit: 's',
      queries: [
        query(
          `sum by (instance, kind) (${rate(own('nodejs_gc_duration_seconds_sum'))})`,
          '{{instance}} {{kind}}',
        ),
      ],
    }),
    chart({
      title: 'File descriptors',
      description: 'Every connection takes one.',
      unit: 'short',
      queries: [
        query(own('process_open_fds'), '{{instance}}'),
        query(`min(${own('process_max_fds')})`, 'limit'),
      ],
    }),
    {
      title: 'Config revisions',
      description:
        'The revision that each process runs. Different ones: a reload has not reached all of them, or was refused.',
      type: 'table',
      unit: 'short',
      width: 4,
      queries: [
        query(
          `count by (instance, revision) (${ofProcess('headgate_config_revision_info')})`,
          '{{revision}}',
        ),
      ],
    },
    chart(
      {
        title: 'Reloads',
        description: 'Of the config, by what came of them.',
        unit: 'short',
        queries: [
          query(
            `sum by (result) (increase(${ofProcess('headgate_config_reloads_total')}[$__range]))`,
            '{{result}}',
          ),
        ],
      },
      4,
    ),
    chart({
      title: 'Taps',
      description: 'Open taps, and events a second that were not shown to them.',
      unit: 'short',
      queries: [
        query(`sum(${ofProcess('headgate_tap_subscribers')})`, 'open'),
        query(`sum(${rate(ofProcess('headgate_tap_skipped_total'))})`, 'not shown'),
      ],
    }),
  ],
}

const workers: Row = {
  title: 'Workers',
  collapsed: true,
  panels: [
    chart({
      title: 'Workers',
      description:
        'Where HEADGATE_WORKERS asks for some. One that ends by itself is replaced; the log says how it ended.',
      unit: 'short',
      queries: [
        query(`sum by (instance) (${ofProcess('headgate_workers')})`, '{{instance}}'),
        query(`min(${ofProcess('headgate_workers_configured')})`, 'configured'),
        query(`sum(${rate(ofProcess('headgate_worker_restarts_total'))})`, 'replaced a second'),
      ],
    }),
    chart({
      title: 'CPU of workers',
      description: 'Shares of a core. All at 1: more workers help, as long as the primary process has room.',
      unit: 'percentunit',
      queries: [
        query(
          `sum by (instance, worker) (${rate(ofProcess('headgate_worker_cpu_seconds_total'))})`,
          '{{instance}} {{worker}}',
        ),
        query(`sum by (instance) (${rate(ofProcess('process_cpu_seconds_total'))})`, '{{instance}} primary'),
      ],
    }),
    chart({
      title: 'Memory of workers',
      description: 'Resident memory of each worker, on top of that of the primary process.',
      unit: 'bytes',
      queries: [
        query(
          `sum by (instance, worker) (${ofProcess('headgate_worker_resident_memory_bytes')})`,
          '{{instance}} {{worker}}',
        ),
      ],
    }),
  ],
}

const tls: Row = {
  title: 'TLS',
  collapsed: true,
  panels: [
    chart({
      title: 'Certificate expires in',
      description: 'The first of its chain. A new one is taken over as soon as its files have changed.',
      unit: 's',
      queries: [
        query(
          `min by (instance, listener) (${ofProcess('headgate_tls_certificate_expiry_timestamp_seconds')}) - time()`,
          '{{instance}} {{listener}}',
        ),
      ],
    }),
    chart({
      title: 'Certificates taken over',
      description: 'By result; refused is 1 where the files on disk cannot be used.',
      unit: 'short',
      queries: [
        query(
          `sum by (listener, result) (increase(${ofProcess('headgate_tls_certificate_reloads_total')}[$__range]))`,
          '{{listener}} {{result}}',
        ),
        query(
          `1 - min by (listener) (${ofProcess('headgate_tls_certificate_last_reload_successful')})`,
          '{{listener}} refused',
        ),
      ],
    }),
    chart({
      title: 'Handshakes failed',
      description:
        'Connections on which TLS was not agreed on: plain HTTP, old protocols, wrong client certificates.',
      unit: 'ops',
      queries: [
        query(
          `sum by (listener, reason) (${rate(ofProcess('headgate_tls_handshakes_failed_total'))})`,
          '{{listener}} {{reason}}',
        ),
      ],
    }),
    chart({
      title: 'Connections of HTTP/2 closed',
      description: 'Because their sender exceeded a limit or broke the protocol, by reason.',
      unit: 'ops',
      queries: [
        query(
          `sum by (reason) (${rate(ofProcess('headgate_http2_connections_closed_total'))})`,
          '{{reason}}',
        ),
      ],
    }),
  ],
}

/** Every process has these metrics: only those of Headgate are meant. */
function own(name: string): string {
  return ofProcess(name, 'job=~".*headgate.*"')
}

export const rows: readonly Row[] = [
  health,
  overview,
  intake,
  stages,
  routes,
  kafka,
  acknowledging,
  deadLetters,
  process,
  workers,
  tls,
  inbox,
]
