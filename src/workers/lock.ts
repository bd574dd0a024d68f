/** Lets one at a time have a turn, in the order in which they ask. */
export interface Turns {
  /** Resolves with what ends the turn. */
  take(): Promise<() => void>
}

export function createTurns(): Turns {
  let last = Promise.resolve()
  return {
    async take() {
      const before = last
      let end = (): void => {}
      last = new Promise((resolve) => {
        end = resolve
      })
      await before
      return end
    },
  }
}
