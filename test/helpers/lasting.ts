import { afterAll, beforeAll } from 'vitest'

/** Registers the clean-up of a resource: `onTestFinished`, or the argument of `sharedByTests`. */
export type AtEnd = (cleanUp: () => Promise<void> | void) => void

/**
 * A resource that all tests of this `describe` share: made before the first, cleaned up after the last, newest first.
 * Returns a getter.
 */
export function sharedByTests<Value>(make: (atEnd: AtEnd) => Promise<Value>): () => Value {
  const cleanUps: Parameters<AtEnd>[0][] = []
  let made: { readonly value: Value } | undefined
  beforeAll(async () => {
    made = { value: await make((cleanUp) => void cleanUps.push(cleanUp)) }
  })
  afterAll(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp()
  })
  return () => {
    if (made === undefined)
      throw new Error('The value that tests share is there once the first of them runs.')
    return made.value
  }
}
