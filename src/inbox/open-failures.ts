import type { Position } from '../contract/index.js'

/** Retried acknowledgements in memory at once. */
const MOST_RETRIED = 10_000

/** Failed acknowledgements that this instance has kept or retries, by their positions. The store has all of them. */
export class OpenFailures {
  /** Kept since the start, and open as far as is known; by their names. */
  readonly #kept = new Map<string, Position>()
  /** Those that are pending again. */
  readonly #retried = new Map<number, Position>()
  #retries = 0
  /** Those that were made after all, and are not noted as such yet. */
  #unnoted: Position[] = []

  /** Those that this instance has kept since its start, and that are open as far as is known. */
  get kept(): readonly Position[] {
    return [...this.#kept.values()]
  }

  /** How many are pending again. */
  get retried(): number {
    return this.#retried.size
  }

  keep(position: Position): void {
    this.#kept.set(nameOf(position), position)
  }

  /** `open`: those of `kept` that are still open. Others may have come since `kept` was read. */
  settle(kept: readonly Position[], open: readonly Position[]): void {
    const names = new Set(open.map(nameOf))
    for (const position of kept) if (!names.has(nameOf(position))) this.#kept.delete(nameOf(position))
  }

  /** Those of `positions` that can be pending again now, each with a number. */
  retry<Kept extends { readonly position: Position }>(kept: readonly Kept[]): [number, Kept][] {
    const names = new Set([...this.#retried.values(), ...this.#unnoted].map(nameOf))
    const others = kept.filter(({ position }) => !names.has(nameOf(position)))
    return others.slice(0, MOST_RETRIED - this.#retried.size).map((each) => {
      this.#retried.set(this.#retries, each.position)
      return [this.#retries++, each]
    })
  }

  /** It failed again, and stays open. */
  failedAgain(number: number): void {
    this.#retried.delete(number)
  }

  made(number: number): void {
    const position = this.#retried.get(number)
    if (position === undefined) return
    this.#retried.delete(number)
    this.#kept.delete(nameOf(position))
    this.#unnoted.push(position)
  }

  /** Those that were made after all. The caller notes that, or gives them back. */
  takeUnnoted(): readonly Position[] {
    const unnoted = this.#unnoted
    this.#unnoted = []
    return unnoted
  }

  giveBack(unnoted: readonly Position[]): void {
    this.#unnoted.push(...unnoted)
  }
}

const nameOf = ({ partition, offset }: Position): string => `${partition}:${offset}`
