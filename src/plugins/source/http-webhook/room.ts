import { HeadgateError } from '../../../contract/errors.js'
import { InFlight } from '../../../lib/async.js'

/** The events that may be in flight at a time. */
export class Room {
  readonly #inFlight = new InFlight()
  readonly #size: number
  readonly #isShared: boolean
  #isClosed = false

  /** `sharedBy`: how many processes share the limit. */
  constructor(maxInFlight: number, sharedBy = 1) {
    this.#size = Math.ceil(maxInFlight / sharedBy)
    this.#isShared = sharedBy > 1
  }

  /** Throws if no new request is accepted now. */
  require(): void {
    if (this.#isClosed)
      throw new HeadgateError('HG_INTAKE_STOPPING', 'The pipeline is stopping and accepts no more events.')
    if (this.#inFlight.count < this.#size) return
    const inWorker = this.#isShared ? ' in this worker' : ''
    throw new HeadgateError(
      'HG_INTAKE_BUSY',
      `${this.#size} events are in flight${inWorker}; the source allows no more.`,
    )
  }

  /** Takes a place, after `require`. */
  begin(): void {
    this.#inFlight.begin()
  }

  /** Takes a place for one more event of a batch, also of one that came before the end. False if there is none. */
  enter(): boolean {
    if (this.#inFlight.count >= this.#size) return false
    this.#inFlight.begin()
    return true
  }

  leave(): void {
    this.#inFlight.end()
  }

  /** Accepts no new requests. Resolves when no event is in flight. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.#inFlight.drained()
  }
}
