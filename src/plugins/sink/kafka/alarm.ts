/** A wait that can be cut short. */
export interface Alarm {
  /** Ends after so many milliseconds, or when it is rung. */
  wait(milliseconds: number): Promise<void>
  ring(): void
}

export function createAlarm(): Alarm {
  let ring = () => {}
  return {
    wait: (milliseconds) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer)
          ring = () => {}
          resolve()
        }
        const timer = setTimeout(done, milliseconds)
        ring = done
      }),
    ring: () => ring(),
  }
}
