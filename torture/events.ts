import { createHash } from 'node:crypto'
import {
  INVALID_EVENTS,
  type InvalidEvent,
  invalidEvent,
  type Refusal,
  type SandboxEvent,
  seeded,
  validEvent,
} from '../src/sandbox/events.js'
import { DEAD_LETTER_TOPIC } from '../src/sandbox/routes.js'

/** One request of the sender, and its expected result. */
export interface TortureEvent {
  readonly id: string
  readonly headers: SandboxEvent['headers']
  readonly body: Buffer
  readonly expected: InTopic | Refusal
}

export interface InTopic {
  readonly kind: 'record' | 'dead-letter'
  readonly topic: string
  /** Undefined if any will do. */
  readonly partition: number | undefined
  /** Of the record's value. */
  readonly digest: string
}

/** Redeliveries of an event, although it got or will get a response. */
interface Repeats {
  /** A second copy at the same time. */
  readonly copied: boolean
  /** The sender stops waiting for its first response after so many milliseconds, and posts the event again. */
  readonly abandonedAfter: number | undefined
  /** Posted again so many milliseconds after its response of 2xx. */
  readonly againAfter: number | undefined
}

/** Events that become dead letters under the torture's config; the shipped one rejects them. */
const DEAD_LETTERED = 'HG_SCHEMA_VIOLATION'
const EVERY_INVALID = 40

/** The `n`th event of the run with this seed. */
export function eventAt(n: number, seed: number, token: string): TortureEvent {
  if (n % EVERY_INVALID === EVERY_INVALID - 1) {
    // Each kind in turn.
    const kind = INVALID_EVENTS[Math.floor(n / EVERY_INVALID) % INVALID_EVENTS.length] as InvalidEvent
    const { id, headers, body, expected } = invalidEvent(kind, `bad-${n}`, token)
    if (expected.code !== DEAD_LETTERED) return { id, headers, body, expected }
    const digest = digestOf(body)
    return {
      id,
      headers,
      body,
      expected: { kind: 'dead-letter', topic: DEAD_LETTER_TOPIC, partition: undefined, digest },
    }
  }
  const { id, headers, body, expected } = validEvent(n, token, randomOf(n, seed))
  const { topic, partition } = expected.route
  return {
    id,
    headers,
    body,
    expected: { kind: 'record', topic, partition, digest: digestOf(expected.value) },
  }
}

/** Most redeliveries come soon, some late. */
const AGAIN_WITHIN = [100, 2000, 30_000] as const

export function repeatsOf(n: number, seed: number): Repeats {
  const random = randomOf(n, ~seed)
  return {
    copied: random.below(50) === 0,
    abandonedAfter: random.below(100) === 0 ? random.below(20) : undefined,
    againAfter: random.below(20) === 0 ? random.below(random.pick(AGAIN_WITHIN)) : undefined,
  }
}

export const digestOf = (bytes: Buffer): string =>
  createHash('sha256').update(bytes).digest('base64').slice(0, 22)

const randomOf = (n: number, seed: number) => seeded(Math.imul(seed, 0x9e3779b1) ^ n)
