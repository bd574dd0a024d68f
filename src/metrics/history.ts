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
  /** It has counted nothing in all its points and since. */
  readonly isQuiet: boolean
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
  /** By the name of the metric, and the labels: a series keeps its object of these, and their text would be made too often. */
  readonly #series = new Map<string, Map<Labels, Recorded>>()
  /** Seconds that each point took: a busy process is late, and a laptop sleeps. */
  readonly #seconds = new Float64Array(POINTS)
  #timer: NodeJS.Timeout | undefined
  #sampledAt: number
  #points = 0
  #looks = 0

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
    const series = this.series()
    const now = this.#clock()
    this.#seconds[this.#points % POINTS] = (now - this.#sampledAt) / 1000
    this.#sampledAt = now
    for (const recorded of series) recorded.keep(this.#points)
    this.#points++
  }

  /** Every series that there is now, with its counts up to now. */
  series(): readonly Recorded[] {
    const look = ++this.#looks
    const found = this.#read().map(({ declaration, labels, values }) => {
      const { name } = declaration
      const named = this.#series.get(name) ?? new Map<Labels, Recorded>()
      this.#series.set(name, named)
      const recorded = named.get(labels) ?? new Recorded(declaration, labels, () => this.#points)
      named.set(labels, recorded)
      recorded.see(values, look)
      return recorded
    })
    for (const named of this.#series.values())
      for (const [labels, recorded] of named) if (recorded.seenBy !== look) named.delete(labels)
    return found
  }

  /** The seconds that `recent` of a series covers. */
  seconds(points: number): number {
    let sum = (this.#clock() - this.#sampledAt) / 1000
    for (let ago = 0; ago < Math.min(points, this.#points); ago++)
      sum += this.#seconds[(this.#points - 1 - ago) % POINTS] as number
    return sum
  }
}

class Recorded implements SeriesHistory {
  /** The last look that found it. */
  seenBy = 0
  readonly #taken: () => number
  #now: readonly number[] = []
  /** At the newest point; undefined before the first one. */
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

  see(values: readonly number[], look: number): void {
    this.#now = values
    this.seenBy = look
  }

  get isQuiet(): boolean {
    const before = this.#before
    return this.#rows === undefined && this.#now.every((value, index) => value === (before?.[index] ?? 0))
  }

  /** Makes a point of the counts since the one before. */
  keep(point: number): void {
    if (!this.isQuiet) this.#put(point, this.#sinceLast())
    this.#before = this.#now
  }

  point(ago: number): readonly number[] {
    const width = this.#now.length
    const point = this.#taken() - 1 - ago
    if (this.#rows === undefined || point < 0) return Array<number>(width).fill(0)
    const from = (point % POINTS) * width
    return [...this.#rows.subarray(from, from + width)]
  }

  recent(points: number): readonly number[] {
    if (this.declaration.type === 'gauge') return this.#now
    const sums = [...this.#sinceLast()]
    const rows = this.#rows
    if (rows === undefined) return sums
    const newest = this.#taken() - 1
    for (let point = newest; point > newest - points && point >= 0; point--) {
      const from = (point % POINTS) * sums.length
      for (let index = 0; index < sums.length; index++)
        sums[index] = (sums[index] as number) + (rows[from + index] as number)
    }
    return sums
  }

  all(): readonly number[] {
    const values = this.#sinceLast()
    return this.declaration.type === 'gauge' || this.#sums === undefined ? values : added(values, this.#sums)
  }

  #put(point: number, values: readonly number[]): void {
    this.#rows ??= new Float32Array(POINTS * values.length)
    const from = (point % POINTS) * values.length
    const forgotten = this.#rows.slice(from, from + values.length)
    this.#rows.set(values, from)
    this.#sums = values.map(
      (value, index) => (this.#sums?.[index] ?? 0) + value - (forgotten[index] as number),
    )
  }

  #sinceLast(): readonly number[] {
    const before = this.#before
    if (this.declaration.type === 'gauge' || before === undefined) return this.#now
    // A stage that was replaced begins at 0 again.
    const restarted = this.#now.some((value, index) => value < (before[index] as number))
    return restarted ? this.#now : this.#now.map((value, index) => value - (before[index] as number))
  }
}

const added = (values: readonly number[], others: readonly number[]): number[] =>
  values.map((value, index) => value + (others[index] as number))
