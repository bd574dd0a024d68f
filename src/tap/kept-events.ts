import type { Event } from '../contract/index.js'
import type { AcknowledgementAttempt, CompletedEvent } from '../pipeline/taps.js'

/** An event that a tap has shown, with everything that a reader may ask about it later. */
export interface KeptEvent {
  readonly number: number
  readonly completed: CompletedEvent
  readonly rule: string | undefined
  /** Oldest first. */
  readonly attempts: AcknowledgementAttempt[]
}

const MOST_EVENTS = 200
/** Bytes of bodies. */
const MOST_BYTES = 4 * 1024 * 1024
const MOST_ATTEMPTS = 20

/** The newest events that a tap has shown, for as long as the tap is open. */
export class KeptEvents {
  readonly #byNumber = new Map<number, KeptEvent>()
  /** By pipeline and id; an event that is acknowledged again is a redelivery of the same. */
  readonly #byId = new Map<string, KeptEvent>()
  #bytes = 0
  #last = 0

  /** Returns the number of the event. */
  add(completed: CompletedEvent, rule: string | undefined): number {
    const number = ++this.#last
    const kept = { number, completed: copied(completed), rule, attempts: [] }
    this.#byNumber.set(number, kept)
    this.#byId.set(keyOf(completed.pipeline.name, completed.outcome.id), kept)
    this.#bytes += sizeOf(kept)
    for (const oldest of this.#byNumber.values()) {
      if (this.#byNumber.size <= MOST_EVENTS && (this.#bytes <= MOST_BYTES || oldest === kept)) break
      this.#remove(oldest)
    }
    return number
  }

  /** Undefined if it is no longer kept. */
  get(number: number): KeptEvent | undefined {
    return this.#byNumber.get(number)
  }

  attempted(attempt: AcknowledgementAttempt): void {
    const kept = this.#byId.get(keyOf(attempt.pipeline, attempt.id))
    if (kept === undefined) return
    kept.attempts.push(attempt)
    if (kept.attempts.length > MOST_ATTEMPTS) kept.attempts.shift()
  }

  #remove(kept: KeptEvent): void {
    const { pipeline, outcome } = kept.completed
    const key = keyOf(pipeline.name, outcome.id)
    this.#byNumber.delete(kept.number)
    if (this.#byId.get(key) === kept) this.#byId.delete(key)
    this.#bytes -= sizeOf(kept)
  }
}

const keyOf = (pipeline: string, id: string | undefined): string => `${pipeline} ${id}`

const sizeOf = ({ completed: { event } }: KeptEvent): number =>
  event === undefined ? 0 : event.body.bytes.length + (event.body.original?.bytes.length ?? 0)

/** Without the parsed body, and with bytes that are no part of a larger buffer of a socket. */
function copied(completed: CompletedEvent): CompletedEvent {
  const { event, record } = completed
  if (event === undefined) return completed
  const bytes = Buffer.from(event.body.bytes)
  const { original } = event.body
  const body = {
    bytes,
    value: undefined,
    original: original && { type: original.type, bytes: Buffer.from(original.bytes) },
    slice: () => undefined,
  } satisfies Event['body']
  return { ...completed, event: { ...event, body }, record: record && { ...record, value: bytes } }
}
