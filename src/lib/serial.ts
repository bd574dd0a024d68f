/** Lets one at a time go on, in the order in which they ask. */
export interface Lock {
  /** Resolves, when all before have released it, with what releases it. */
  take(): Promise<() => void>
}

export function createLock(): Lock {
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
