import type { BodyMemory } from '../contract/index.js'

export interface CountedMemory extends BodyMemory {
  /** Bytes held now. */
  readonly held: number
}

/** One sum for all connections and pipelines of a listener. */
export function countBodyMemory(max: number): CountedMemory {
  let held = 0
  return {
    get held() {
      return held
    },
    take(bytes) {
      if (held + bytes > max) return false
      held += bytes
      return true
    },
    add(bytes) {
      held += bytes
    },
    release(bytes) {
      held -= bytes
    },
  }
}
