import { onTestFinished, vi } from 'vitest'

export interface MovableClocks {
  /** Time passes: both clocks go on. */
  pass(milliseconds: number): void
  /** The wall clock is set; no time passes. */
  setWall(milliseconds: number): void
}

/** Moves the wall clock and the monotonic clock of this process, together or apart. */
export function movableClocks(): MovableClocks {
  const monotonic = performance.now.bind(performance)
  const wall = Date.now.bind(Date)
  let passed = 0
  let set = 0
  const spies = [
    vi.spyOn(performance, 'now').mockImplementation(() => monotonic() + passed),
    vi.spyOn(Date, 'now').mockImplementation(() => wall() + passed + set),
  ]
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore()
  })
  return {
    pass(milliseconds) {
      passed += milliseconds
    },
    setWall(milliseconds) {
      set += milliseconds
    },
  }
}
