/** Evaluations that are tried a second time, one after the other. */
let last: Promise<unknown> = Promise.resolve()

/**
 * Evaluates, and once more where that took too long. JSONata looks at the clock, which also runs while the process does not
 * (a busy machine, a long collection), while other expressions are evaluated in between, and when it is set: none of that is
 * the fault of this event. The second try waits until nobody else has one, so that an expression that really is without end
 * takes the others with it at most once.
 */
export async function withSecondTry<Value>(evaluate: () => Promise<Value>): Promise<Value> {
  try {
    return await evaluate()
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== TOOK_TOO_LONG) throw error
    const second = last.then(evaluate)
    last = second.catch(() => {})
    return second
  }
}

const TOOK_TOO_LONG = 'D1012'
