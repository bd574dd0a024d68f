import type { Pipeline } from '../pipeline/pipeline.js'

/** The configs under which workers may still have events, newest last. */
export interface Generations<Worker> {
  /** The pipelines of a config from now on; undefined where the source is elsewhere. Returns its number. */
  add(pipelines: readonly Pipeline[]): number
  /** It never came to run. */
  drop(generation: number): void
  pipeline(generation: number, index: number): Pipeline | undefined
  /** Another one runs: these workers have yet to say that no event comes under it any more. */
  leave(generation: number, workers: Iterable<Worker>): void
  /** The worker has nothing under it any more. */
  left(generation: number, worker: Worker): void
  /** The worker is gone, and so is all that it had. */
  gone(worker: Worker): void
  /** Resolves once no event comes under the config of this pipeline any more. */
  ended(pipeline: Pipeline): Promise<void>
}

interface Generation<Worker> {
  readonly pipelines: readonly Pipeline[]
  readonly ended: Promise<void>
  readonly end: () => void
  /** Those that have yet to leave it; undefined while it runs. */
  leaving: Set<Worker> | undefined
}

export function createGenerations<Worker>(): Generations<Worker> {
  const known = new Map<number, Generation<Worker>>()
  let last = 0
  const endIfLeft = (number: number): void => {
    const generation = known.get(number)
    if (generation?.leaving?.size !== 0) return
    known.delete(number)
    generation.end()
  }
  return {
    add(pipelines) {
      let end = (): void => {}
      const ended = new Promise<void>((resolve) => {
        end = resolve
      })
      known.set(++last, { pipelines, ended, end, leaving: undefined })
      return last
    },
    drop: (generation) => void known.delete(generation),
    pipeline: (generation, index) => known.get(generation)?.pipelines[index],
    leave(number, workers) {
      const generation = known.get(number)
      if (generation === undefined) return
      generation.leaving = new Set(workers)
      endIfLeft(number)
    },
    left(number, worker) {
      known.get(number)?.leaving?.delete(worker)
      endIfLeft(number)
    },
    gone(worker) {
      for (const [number, { leaving }] of known) if (leaving?.delete(worker)) endIfLeft(number)
    },
    ended(pipeline) {
      const its = [...known.values()].find(({ pipelines }) => pipelines.includes(pipeline))
      return its?.ended ?? Promise.resolve()
    },
  }
}
