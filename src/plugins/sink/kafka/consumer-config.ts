import type { ClientConfig } from './properties.js'
import { PRODUCER_PROPERTIES } from './property-names.js'

const UNSUITABLE: ReadonlySet<string> = new Set([
  // Nobody would read them.
  'statistics.interval.ms',
  // A question would wait for the fetch before it.
  'max.in.flight',
  'max.in.flight.requests.per.connection',
  // Followers lag behind; what the leader has is what counts.
  'client.rack',
  // Together these decide how much is fetched at once, and can exclude each other.
  'message.max.bytes',
  'receive.message.max.bytes',
])

const COMMON = {
  'enable.auto.commit': 'false',
  'enable.auto.offset.store': 'false',
  'enable.partition.eof': 'true',
  // Our records are in no transaction. One that somebody else left open must not hide them.
  'isolation.level': 'read_uncommitted',
} as const

/** What a consumer is for. */
export type Use = 'asking' | 'reading' | 'probing'

const OWN: Readonly<Record<Use, { readonly [name: string]: string }>> = {
  asking: {
    // A frozen broker is given up after the first, and a commit without a coordinator after the second.
    'socket.timeout.ms': '3000',
    'session.timeout.ms': '5000',
  },
  reading: {
    // What a client holds of the log at most, beside one fetch. More is not faster.
    'queued.max.messages.kbytes': '16384',
    // After that limit was hit: the default of a second would be most of the time that reading takes.
    'fetch.queue.backoff.ms': '2',
    // So long the end of a partition can go unnoticed.
    'fetch.wait.max.ms': '50',
  },
  probing: {
    // A partition that ends where we are tells it after that time, and the first one before the others.
    'fetch.wait.max.ms': '5',
    // That an offset is out of range is what it is looking for, and no reason for a warning.
    log_level: '3',
  },
}

/** What a consumer needs to reach the same cluster in the same way as a producer. */
export function consumerConfig(producer: ClientConfig, groupId: string, use: Use): ClientConfig {
  const shared = Object.entries(producer.global).filter(
    ([name]) => !PRODUCER_PROPERTIES.has(name) && !UNSUITABLE.has(name),
  )
  return {
    global: { ...Object.fromEntries(shared), ...COMMON, ...OWN[use], 'group.id': groupId },
    // Where to go on when an offset does not exist: reading, with what is left; probing, at the end.
    topic: { 'auto.offset.reset': use === 'probing' ? 'latest' : 'earliest' },
  }
}
