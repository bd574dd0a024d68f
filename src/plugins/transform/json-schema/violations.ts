import type { Violation } from '../../../contract/errors.js'
import { child } from '../../../lib/json/pointer.js'

/** Bounds the response, which a sender could otherwise make arbitrarily large. */
const MAX_VIOLATIONS = 100
const MAX_POINTER = 500

/** The way to a value, from its end; undefined at the top. */
export interface Path {
  readonly up: Path | undefined
  readonly token: string | number
}

/** The violations of an event. Contains no values of it: responses and logs show them. */
export class Violations {
  readonly #kept: Violation[] = []
  #count = 0
  /** True if the search ended early. */
  isCutShort = false

  /** `token`: the member that is meant, if it is not the value itself. */
  add(path: Path | undefined, message: string | (() => string), token?: string): void {
    this.#count++
    if (this.#kept.length >= MAX_VIOLATIONS) return
    const way = token === undefined ? path : { up: path, token }
    const pointer = pointerOf(way)
    this.#kept.push({
      pointer: pointer.length > MAX_POINTER ? `${pointer.slice(0, MAX_POINTER)}...` : pointer,
      message: typeof message === 'string' ? message : message(),
    })
  }

  get count(): number {
    return this.#count
  }

  /** Removes all that were added after the first `count`: those of an alternative that did not fit, if another one does. */
  forgetFrom(count: number): void {
    this.#count = count
    if (this.#kept.length > count) this.#kept.length = count
  }

  /** At most MAX_VIOLATIONS. */
  list(): Violation[] {
    const more = this.#count - this.#kept.length
    if (more > 0) {
      const shown = this.#kept.slice(0, MAX_VIOLATIONS - 1)
      return [...shown, { pointer: '', message: `has ${this.#count - shown.length} more violations` }]
    }
    if (!this.isCutShort) return this.#kept
    const shown = this.#kept.slice(0, MAX_VIOLATIONS - 1)
    const message =
      shown.length === 0
        ? 'does not fit, and to find out why takes more work than one event may'
        : 'may have more violations, and to find them takes more work than one event may'
    return [...shown, { pointer: '', message }]
  }
}

/** One sentence for a list of violations. */
export function describe([first, ...others]: readonly Violation[]): string {
  if (first === undefined) return 'The event does not match the schema.'
  const more =
    others.length === 0
      ? ''
      : others.length === 1
        ? ' (and 1 more violation)'
        : ` (and ${others.length} more violations)`
  return `The event does not match the schema: ${first.pointer || 'the event'} ${first.message}${more}.`
}

function pointerOf(path: Path | undefined): string {
  const tokens: (string | number)[] = []
  for (let at = path; at !== undefined; at = at.up) tokens.push(at.token)
  return tokens.reduceRight<string>((pointer, token) => child(pointer, token), '')
}
