import type { LintMeaning } from '../../../../contract/index.js'

/** What a look at the cluster warns of. */
export const lints = {
  'one-copy': {
    meaning: 'Kafka confirms records of a topic when a single broker has them.',
    why: 'With `acks=all`, all replicas that are in sync have confirmed, and here that can be one: if that broker is lost, so are events that were answered 2xx. Use 3 replicas and `min.insync.replicas=2`.',
    outside: true,
  },
  'body-beyond-topic': {
    meaning: 'The source takes larger bodies than a topic takes records.',
    why: 'Such an event is answered 413 after all, by the limit of the topic and not by that of the source. Lower `maxBody`, or raise `max.message.bytes` of the topic and `message.max.bytes` of the sink.',
    outside: true,
  },
  'batch-beyond-topic': {
    meaning: 'The sink makes larger batches than a topic takes.',
    why: 'A broker refuses such a batch. Its records are sent again in smaller ones, which takes time, for this and other topics. Set `batch.size` below the smallest `max.message.bytes`.',
    outside: true,
  },
  'topic-compacted': {
    meaning: 'A topic is compacted.',
    why: 'The ledger reads event ids back from the records. Compaction removes records whose key came again, so that after a lost state directory their redeliveries are written a second time.',
    outside: true,
  },
  'retention-below-window': {
    meaning: 'A topic keeps its records for a shorter time than redeliveries are to be recognised.',
    why: 'The ledger reads event ids back from the records: after a lost state directory, a redelivery of what Kafka no longer has is written a second time.',
    outside: true,
  },
} as const satisfies { readonly [name: string]: LintMeaning }
