/** Work that yields at every point at which it may be interrupted. */
export type Slices<Result> = Generator<undefined, Result>

/** Does the work with a turn of the event loop between its slices, so that events are processed meanwhile. */
export async function inSlices<Result>(work: Slices<Result>): Promise<Result> {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    await nextTurn()
  }
}

/** Does the work in one go. */
export function atOnce<Result>(work: Slices<Result>): Result {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
