import type { Subject } from './condition.js'
import type { Step } from './rule-index.js'
import { union } from './word-search.js'

/** The numbers of the rules that may match one event, in order. Looks no further than it is asked. */
export class Candidates {
  readonly #steps: readonly Step[]
  readonly #subject: Subject
  #step = 0
  /** Found by the steps so far; from `#next` on they have not been given out. */
  #found: readonly number[] = []
  #next = 0

  constructor(steps: readonly Step[], subject: Subject) {
    this.#steps = steps
    this.#subject = subject
  }

  /** Undefined where there are no more. */
  next(): number | undefined {
    for (;;) {
      const step = this.#steps[this.#step]
      const found = this.#found[this.#next]
      if (step === undefined || (found !== undefined && found < step.first)) {
        this.#next++
        return found
      }
      this.#step++
      if (step.lookUp === undefined) return step.first
      const more = step.lookUp(this.#subject)
      this.#found = found === undefined ? more : union([this.#found.slice(this.#next), more])
      this.#next = 0
    }
  }
}
