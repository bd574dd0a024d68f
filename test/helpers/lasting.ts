import { afterAll, beforeAll } from 'vitest'

/** Is told what to do when nobody needs it any more: `onTestFinished`, or what `sharedByTests` hands on. */
export type AtEnd = (cleanUp: () => Promise<void> | void) => void

/**
 * What all tests of this `describe` share: made before the first, cleaned up after the last, newest first. Returns how to
 * get it.
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
    if (made === undefined) throw new Error('What tests share is there once the first of them runs.')
    return made.value
  }
}
