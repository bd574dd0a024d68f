/** Milliseconds. */
const TOGETHER = 200

/** Values that come one by one, given on together: a list is laid out again each time. */
export class Arrivals<Value> {
  readonly #give: (values: readonly Value[]) => void
  #values: Value[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(give: (values: readonly Value[]) => void) {
    this.#give = give
  }

  add(value: Value): void {
    this.#values.push(value)
    this.#timer ??= setTimeout(() => this.flush(), TOGETHER)
  }

  /** Gives on those that have come. */
  flush(): void {
    const values = this.#values
    this.drop()
    if (values.length > 0) this.#give(values)
  }

  drop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#values = []
  }
}
