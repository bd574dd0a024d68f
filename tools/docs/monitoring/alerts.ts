import { type Alert, DAY, HOUR, MINUTE } from './alert.js'
import { inboxAlerts } from './inbox-alerts.js'
import type { Pace } from './pace.js'
import { DEAD_LETTER_RATIO, ERROR_BUDGET, errorRatio } from './rules.js'

/** The alerts, those that say that nothing goes any more first. */
export function alerts(pace: Pace): readonly Alert[] {
  return [
    ...availability(pace),
    ...inboxAlerts(pace),
    ...acknowledging(pace),
    ...sending(pace),
    ...data(pace),
    ...operating(pace),
  ]
}

const availability = ({ span }: Pace): readonly Alert[] => [
  {
    alert: 'HeadgateDown',
    expr: 'up{job=~".*headgate.*"} == 0',
    for: span(2 * MINUTE),
    severity: 'critical',
    summary: 'Headgate at {{ $labels.instance }} cannot be scraped.',
    description:
      'Its admin port does not answer. The process is gone or stuck, and senders are not answered; they keep their events and send them again.',
  },
  {
    alert: 'HeadgateNotReady',
    expr: 'headgate_ready == 0',
    for: span(2 * MINUTE),
    severity: 'critical',
    summary: 'Headgate at {{ $labels.instance }} takes no events.',
    description:
      'GET /ready says why. Senders are answered 503 and keep their events; nothing is lost as long as they try again.',
  },
  {
    alert: 'HeadgateKafkaStalled',
    expr: `headgate_inflight_events > 0 and rate(headgate_commit_duration_seconds_count[${span(2 * MINUTE)}]) == 0`,
    for: span(MINUTE),
    severity: 'critical',
    summary: 'Kafka confirms nothing of pipeline {{ $labels.pipeline }}.',
    description:
      '{{ $value }} events are under way and no delivery report comes back. Senders wait, and are answered 503 once their patience or the limit of events in flight is reached.',
  },
  {
    alert: 'HeadgateKafkaBrokerDown',
    expr: 'headgate_kafka_broker_up == 0',
    for: span(5 * MINUTE),
    severity: 'warning',
    summary: 'No connection to Kafka broker {{ $labels.broker }}.',
    description:
      'Records for the partitions that this broker leads cannot be written until it is back or another one leads them.',
  },
  {
    alert: 'HeadgateErrorBudgetBurnFast',
    expr: burn(14.4, '1h', '5m'),
    for: span(2 * MINUTE),
    severity: 'critical',
    summary: '{{ $value | humanizePercentage }} of the responses of pipeline {{ $labels.pipeline }} are 5xx.',
    description:
      'At this pace, 2 % of the error budget of 30 days (99.9 % of the responses) is gone in an hour. Senders keep what was answered 503 and send it again.',
  },
  {
    alert: 'HeadgateErrorBudgetBurnSlow',
    expr: burn(6, '6h', '30m'),
    for: span(15 * MINUTE),
    severity: 'warning',
    summary: '{{ $value | humanizePercentage }} of the responses of pipeline {{ $labels.pipeline }} are 5xx.',
    description:
      'At this pace, 5 % of the error budget of 30 days (99.9 % of the responses) is gone in six hours: a fault that comes and goes, or a load at the limit.',
  },
]

const acknowledging = ({ span, seconds }: Pace): readonly Alert[] => [
  {
    alert: 'HeadgateLedgerBacklogOld',
    expr: `headgate_ledger_oldest_pending_seconds > ${seconds(10 * MINUTE)}`,
    for: span(5 * MINUTE),
    severity: 'warning',
    summary:
      'Pipeline {{ $labels.pipeline }} has had a pending acknowledgement for {{ $value | humanizeDuration }}.',
    description: 'The events are in Kafka; their sender has not been told, and may send them again.',
  },
  {
    alert: 'HeadgateLedgerBacklogGrowing',
    expr: `predict_linear(headgate_ledger_pending[${span(30 * MINUTE)}], ${seconds(4 * HOUR)}) > headgate_ledger_pending_limit and headgate_ledger_pending > 0.1 * headgate_ledger_pending_limit`,
    for: span(5 * MINUTE),
    severity: 'critical',
    summary: 'The acknowledgement backlog of pipeline {{ $labels.pipeline }} will be full within hours.',
    description:
      'More events come in than are acknowledged. At `maxPending` new events are answered 503, although Kafka would take them; with an inbox, they wait in it.',
  },
  {
    alert: 'HeadgateAcknowledgementsFailing',
    expr: `sum without (outcome) (rate(headgate_ack_attempts_total{outcome!="acknowledged"}[${span(10 * MINUTE)}])) / (sum without (outcome) (rate(headgate_ack_attempts_total[${span(10 * MINUTE)}])) > 0) > 0.5`,
    for: span(5 * MINUTE),
    severity: 'warning',
    summary:
      '{{ $value | humanizePercentage }} of the attempts to acknowledge fail in pipeline {{ $labels.pipeline }}.',
    description:
      'The API of the sender refuses, throttles or does not answer. Events still go to Kafka; their acknowledgements wait in the ledger and are tried again.',
  },
  {
    alert: 'HeadgateAcknowledgementsGivenUp',
    expr: 'headgate_ledger_failed > 0',
    for: '0s',
    severity: 'warning',
    summary: '{{ $value }} acknowledgements of pipeline {{ $labels.pipeline }} were given up.',
    description:
      'The events are in Kafka. The API of their sender refused for good or the deadline of the retries passed; nothing tries again until it is told to.',
  },
  {
    alert: 'HeadgateTokenExpired',
    expr: 'headgate_oauth_token_expiry_timestamp_seconds < time() and headgate_ledger_pending > 0',
    for: span(5 * MINUTE),
    severity: 'warning',
    summary: 'Pipeline {{ $labels.pipeline }} has no valid access token.',
    description:
      'Acknowledgements wait for a token that the token endpoint does not give. Events still go to Kafka.',
  },
]

/** Faults on the side of the sender: nothing of ours is broken, and no other alert would fire. */
const sending = ({ span }: Pace): readonly Alert[] => [
  {
    alert: 'HeadgateEventsRejected',
    expr: refusedShare(span(10 * MINUTE), '400|413|415|422'),
    for: span(5 * MINUTE),
    severity: 'warning',
    summary:
      '{{ $value | humanizePercentage }} of the requests to pipeline {{ $labels.pipeline }} are rejected as bad data.',
    description:
      'They are answered 400, 413, 415 or 422 and are kept nowhere; most senders do not send them again. Most often the sender has changed what it sends.',
  },
  {
    alert: 'HeadgateSenderUnauthenticated',
    expr: refusedShare(span(10 * MINUTE), '401'),
    for: span(5 * MINUTE),
    severity: 'warning',
    summary:
      '{{ $value | humanizePercentage }} of the requests to pipeline {{ $labels.pipeline }} do not prove who sent them.',
    description:
      'They are answered 401, and their events are not taken. The secret was changed on one side only, or somebody else sends to this address.',
  },
  {
    alert: 'HeadgateNoEvents',
    expr: silence(span(30 * MINUTE), span(DAY), span(7 * DAY)),
    for: span(5 * MINUTE),
    severity: 'warning',
    summary: 'No events reach pipeline {{ $labels.pipeline }}.',
    description:
      'Nothing came for half an hour, and at this time a week ago (or yesterday, if a week ago is not known) {{ $value | humanize }} events came in as long. The sender has stopped, or its requests do not get here.',
  },
]

const data = ({ span }: Pace): readonly Alert[] => [
  {
    alert: 'HeadgateDeadLetters',
    expr: `${DEAD_LETTER_RATIO} > 0.01`,
    for: span(5 * MINUTE),
    severity: 'warning',
    summary:
      '{{ $value | humanizePercentage }} of the events of pipeline {{ $labels.pipeline }} become dead letters.',
    description:
      'They are kept in the dead-letter topic with the reason. Most often the sender has changed what it sends, or a rule or schema has changed here.',
  },
  {
    alert: 'HeadgateRedeliveryWindowShort',
    expr: `headgate_ledger_window_seconds < headgate_ledger_window_configured_seconds and resets(headgate_ledger_window_seconds[${span(6 * HOUR)}]) > 0`,
    for: span(5 * MINUTE),
    severity: 'warning',
    summary:
      'Pipeline {{ $labels.pipeline }} recognises redeliveries of the last {{ $value | humanizeDuration }} only.',
    description:
      'More events came than `redelivery.entries` holds, so that the oldest were forgotten before `redelivery.window` was over. One that is sent again later than that becomes a second record.',
  },
]

const operating = ({ span, seconds }: Pace): readonly Alert[] => [
  {
    alert: 'HeadgateConfigReloadFailed',
    expr: 'headgate_config_last_reload_successful == 0',
    for: span(MINUTE),
    severity: 'warning',
    summary: 'Headgate at {{ $labels.instance }} cannot use the config on disk.',
    description:
      'The config so far goes on running. A restart would fail, or start with what nobody has seen run. GET /ready says what is wrong.',
  },
  {
    alert: 'HeadgateCertificateExpiring',
    expr: `headgate_tls_certificate_expiry_timestamp_seconds - time() < ${seconds(7 * 24 * HOUR)}`,
    for: span(5 * MINUTE),
    severity: 'warning',
    summary:
      'The certificate of {{ $labels.listener }} at {{ $labels.instance }} expires in {{ $value | humanizeDuration }}.',
    description:
      'From then on senders, or Prometheus, refuse to connect. A new certificate is taken over without a restart.',
  },
  {
    alert: 'HeadgateCertificateReloadFailed',
    expr: 'headgate_tls_certificate_last_reload_successful == 0',
    for: span(5 * MINUTE),
    severity: 'warning',
    summary: 'Headgate at {{ $labels.instance }} cannot use the new certificate of {{ $labels.listener }}.',
    description: 'The one before goes on, until it expires. The log says what is wrong with the files.',
  },
  {
    alert: 'HeadgateConnectionsNearLimit',
    expr: 'headgate_http_connections > 0.8 * headgate_http_connections_limit',
    for: span(5 * MINUTE),
    severity: 'warning',
    summary: 'Headgate at {{ $labels.instance }} has {{ $value }} connections of senders open.',
    description: 'At HEADGATE_MAX_CONNECTIONS, new connections are closed as soon as they are made.',
  },
  {
    alert: 'HeadgateBodyMemoryNearLimit',
    expr: 'headgate_http_body_bytes > 0.8 * headgate_http_body_limit_bytes',
    for: span(5 * MINUTE),
    severity: 'warning',
    summary: 'Headgate at {{ $labels.instance }} holds {{ $value | humanize1024 }}B of bodies.',
    description: 'At HEADGATE_MAX_BODY_MEMORY, senders are answered 503 until events in flight have ended.',
  },
  {
    alert: 'HeadgateEventLoopLag',
    expr: 'nodejs_eventloop_lag_p99_seconds{job=~".*headgate.*"} > 0.5',
    for: span(5 * MINUTE),
    severity: 'warning',
    summary: 'Headgate at {{ $labels.instance }} reacts {{ $value | humanizeDuration }} late.',
    description:
      'The process has too little CPU, or one event takes too long. Everything that it does waits that long: responses, acknowledgements, heartbeats to Kafka.',
  },
]

/** Burn rates as the SRE workbook has them: over the long range it matters, over the short one it still goes on. */
const burn = (
  factor: number,
  long: Parameters<typeof errorRatio>[0],
  short: Parameters<typeof errorRatio>[0],
): string => {
  const above = Number((factor * ERROR_BUDGET).toFixed(4))
  return `${errorRatio(long)} > ${above} and ${errorRatio(short)} > ${above}`
}

/** A few bad requests a day are no share of anything: there have to be some within the range. */
const FEWEST_REFUSED = 5

function refusedShare(range: string, codes: string): string {
  const responses = (code: string) =>
    `sum by (namespace, job, pipeline) (increase(headgate_http_responses_total{${code}pipeline!="none"}[${range}]))`
  const refused = responses(`code=~"${codes}",`)
  return `${refused} / (${responses('')} > 0) > 0.05 and ${refused} >= ${FEWEST_REFUSED}`
}

/** So many events within the range, at the same time of another day, make it strange that there are none now. */
const FEWEST_USUAL = 20

/** Its value is how many are usual. A week ago tells better than yesterday: there are days without events in most weeks. */
function silence(range: string, day: string, week: string): string {
  const events = (offset: string) =>
    `sum by (namespace, job, pipeline) (increase(headgate_events_total[${range}]${offset}))`
  const lastWeek = events(` offset ${week}`)
  const yesterday = events(` offset ${day}`)
  return `(${lastWeek} >= ${FEWEST_USUAL} or (${yesterday} >= ${FEWEST_USUAL} unless ${lastWeek})) and ${events('')} == 0`
}
