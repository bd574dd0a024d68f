import type { PrimaryPipeline } from '../pipeline/pipeline.js'

interface Generation<Worker> {
  readonly pipelines: readonly PrimaryPipeline[]
  readonly drained: Promise<void>
  readonly resolve: () => void
  /** Workers that have yet to drain it; undefined while it is the current one. */
  draining: Set<Worker> | undefined
}

/** The configs under which workers may still have events, newest last, by number. */
export class Generations<Worker> {
  readonly #generations = new Map<number, Generation<Worker>>()
  #last = 0

  /** `pipelines`: in the order of the config. Returns the number of the config. */
  add(pipelines: readonly PrimaryPipeline[]): number {
    let resolve = (): void => {}
    const drained = new Promise<void>((resolved) => {
      resolve = resolved
    })
    this.#generations.set(++this.#last, { pipelines, drained, resolve, draining: undefined })
    return this.#last
  }

  /** The config was rolled back. */
  remove(number: number): void {
    this.#generations.delete(number)
  }

  pipeline(number: number, index: number): PrimaryPipeline | undefined {
    return this.#generations.get(number)?.pipelines[index]
  }

  /** Makes another config current. Each of these workers will call `workerDrained`. */
  drain(number: number, workers: Iterable<Worker>): void {
    const generation = this.#generations.get(number)
    if (generation === undefined) return
    generation.draining = new Set(workers)
    this.#resolveIfDrained(number)
  }

  /** The worker has no more events under this config. */
  workerDrained(number: number, worker: Worker): void {
    this.#generations.get(number)?.draining?.delete(worker)
    this.#resolveIfDrained(number)
  }

  /** The worker has ended, and so have its events. */
  workerEnded(worker: Worker): void {
    for (const [number, { draining }] of this.#generations)
      if (draining?.delete(worker)) this.#resolveIfDrained(number)
  }

  /** Resolves after the last event under the config of this pipeline. */
  drained(pipeline: PrimaryPipeline): Promise<void> {
    const generation = [...this.#generations.values()].find(({ pipelines }) => pipelines.includes(pipeline))
    return generation?.drained ?? Promise.resolve()
  }

  #resolveIfDrained(number: number): void {
    const generation = this.#generations.get(number)
    if (generation?.draining?.size !== 0) return
    this.#generations.delete(number)
    generation.resolve()
  }
}
