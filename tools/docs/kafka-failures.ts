import type { ErrorCode } from '../../src/contract/errors.js'

interface Failure {
  readonly name: string
  readonly number: number
  readonly why: string
}

interface RecordFailure extends Failure {
  readonly code: ErrorCode
  readonly certain: boolean
  readonly remedy?: 'check' | 'replace'
}

/** The sink's table of its client's errors. */
export interface KafkaFailures {
  readonly record: readonly RecordFailure[]
  readonly reading: readonly Failure[]
}

/** The section of the error reference on librdkafka. */
export function kafkaFailures({ record, reading }: KafkaFailures): string {
  return [
    '## Kafka',
    '',
    'Every error of librdkafka that can end a record. "No" in the third column: Kafka certainly does not have the record and will',
    'not have it; so it is, whatever the error, where the client does not even take the record. "Perhaps": it may, so Headgate gives',
    'up the producer and reads back what Kafka has before another record is written. An error that is not listed here is answered',
    'as `HG_KAFKA_NOT_DELIVERED`, with the words of librdkafka in the log.',
    '',
    '| librdkafka | what it means | in Kafka? | code | what Headgate does |',
    '|---|---|---|---|---|',
    ...record.map((failure) => {
      const { why, certain, code } = failure
      return `| ${nameOf(failure)} | ${why} | ${certain ? 'no' : 'perhaps'} | \`${code}\` | ${reactionTo(failure)} |`
    }),
    '',
    'Where records are read back or positions committed, these mean something else, or come up only there. The ledger is not ready',
    'or lags meanwhile, and tries again by itself; `/ready` and the log have the reason.',
    '',
    '| librdkafka | what it means |',
    '|---|---|',
    ...reading.map((failure) => `| ${nameOf(failure)} | ${failure.why} |`),
  ].join('\n')
}

const nameOf = ({ name, number }: Failure): string => `\`${name}\` (${number})`

function reactionTo({ code, certain, remedy }: RecordFailure): string {
  if (code.startsWith('HG_RECORD_')) return 'bad data: `onError` of the sink decides'
  const next = [
    ...(remedy === 'check' ? ['looks at brokers and topics again'] : []),
    ...(remedy === 'replace' ? ['opens a new session'] : []),
    ...(certain ? [] : ['reads back']),
  ]
  return ['503', ...next].join('; ')
}
