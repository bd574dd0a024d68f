import type { MetricDeclaration } from '../contract/index.js'
import type { Labels, Series } from './families.js'

/** Seconds between two points. */
export const STEP = 5
/** 15 minutes. */
export const POINTS = 180

/** The recent past of one series. */
export interface SeriesHistory {
  readonly declaration: MetricDeclaration
  readonly labels: Labels
  /** The count of each value, or of a gauge its value, in the point that many points ago; 0 is the newest. */
  point(ago: number): readonly number[]
  /** The sum of the newest points, and the counts since the newest one. Of a gauge, the value now. */
  recent(points: number): readonly number[]
  /** The same of all points. */
  all(): readonly number[]
}

/**
 * Remembers how many of each series there were in the last 15 minutes. Costs nothing on the path of an event: the counts are
 * read every few seconds. A series whose count stays at 0 takes no memory for its points.
 */
export class History {
  readonly #read: () => readonly Series[]
  readonly #clock: () => number
  readonly #series = new Map<string, Recorded>()
  /** Seconds that each point took: a busy process is late, and a laptop sleeps. */
  readonly #seconds = new Float64Array(POINTS)
  #timer: NodeJS.Timeout | undefined
  #sampledAt: number
  #points = 0

  /** `clock`: in milliseconds. */
  constructor(read: () => readonly Series[], clock: () => number = () => performance.now()) {
    this.#read = read
    this.#clock = clock
    this.#sampledAt = clock()
  }

  start(): void {
    this.#timer = setInterval(() => this.sample(), STEP * 1000).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** How many points have been taken since the start. */
  get points(): number {
    return this.#points
  }

  sample(): void {
    this.#look()
    const now = this.#clock()
    this.#seconds[this.#points % POINTS] = (now - this.#sampledAt) / 1000
    this.#sampledAt = now
    for (const recorded of this.#series.values()) recorded.keep(this.#points)
    this.#points++
  }

  /** Every series that there is now, with its counts up to now. */
  series(): readonly SeriesHistory[] {
    this.#look()
    return [...this.#series.values()]
  }

  /** The seconds that `recent` of a series covers. */
  seconds(points: number): number {
    let sum = (this.#clock() - this.#sampledAt) / 1000
    for (let ago = 0; ago < Math.min(points, this.#points); ago++)
      sum += this.#seconds[(this.#points - 1 - ago) % POINTS] as number
    return sum
  }

  #look(): void {
    const present = new Set<string>()
    for (const { declaration, labels, values } of this.#read()) {
      const key = `${declaration.name} ${JSON.stringify(labels)}`
      present.add(key)
      const recorded = this.#series.get(key) ?? new Recorded(declaration, labels, () => this.#points)
      recorded.now = values
      this.#series.set(key, recorded)
    }
    for (const key of this.#series.keys()) if (!present.has(key)) this.#series.delete(key)
  }
}

class Recorded implements SeriesHistory {
  now: readonly number[] = []
  readonly #taken: () => number
  #before: readonly number[] | undefined
  /** The points, one after the other, and their sum. */
  #rows: Float32Array | undefined
  #sums: readonly number[] | undefined

  constructor(
    readonly declaration: MetricDeclaration,
    readonly labels: Labels,
    taken: () => number,
  ) {
    this.#taken = taken
  }

  /** Makes a point of the counts since the one before. */
  keep(point: number): void {
    const values = this.#sinceLast()
    this.#before = this.now
    if (this.#rows === undefined && values.every((value) => value === 0)) return
    this.#rows ??= new Float32Array(POINTS * values.length)
    const from = (point % POINTS) * values.length
    const forgotten = this.#rows.slice(from, from + values.length)
    this.#rows.set(values, from)
    this.#sums = values.map(
      (value, index) => (this.#sums?.[index] ?? 0) + value - (forgotten[index] as number),
    )
  }

  point(ago: number): readonly number[] {
    const width = this.now.length
    const point = this.#taken() - 1 - ago
    if (this.#rows === undefined || point < 0) return Array<number>(width).fill(0)
    const from = (point % POINTS) * width
    return [...this.#rows.subarray(from, from + width)]
  }

  recent(points: number): readonly number[] {
    if (this.declaration.type === 'gauge') return this.now
    let sums = this.#sinceLast()
    if (this.#rows === undefined) return sums
    for (let ago = 0; ago < Math.min(points, this.#taken()); ago++) sums = added(sums, this.point(ago))
    return sums
  }

  all(): readonly number[] {
    const values = this.#sinceLast()
    return this.declaration.type === 'gauge' || this.#sums === undefined ? values : added(values, this.#sums)
  }

  #sinceLast(): readonly number[] {
    const before = this.#before
    if (this.declaration.type === 'gauge' || before === undefined) return this.now
    // A stage that was replaced begins at 0 again.
    const restarted = this.now.some((value, index) => value < (before[index] as number))
    return restarted ? this.now : this.now.map((value, index) => value - (before[index] as number))
  }
}

const added = (values: readonly number[], others: readonly number[]): number[] =>
  values.map((value, index) => value + (others[index] as number))
