import type { Program } from './programs.js'
import type { Surroundings } from './surroundings.js'

export interface Start {
  readonly program: string
  /** Seconds from the start of the process until it takes events. */
  readonly readyAfter: number
}

const TIMES = 3

/** Starts the programs in turns, as long as the topics are empty: with records in them, Headgate reads those back first. */
export async function measureStarts(programs: readonly Program[], around: Surroundings): Promise<Start[]> {
  const starts: Start[] = []
  for (let time = 0; time < TIMES; time++) {
    for (const program of programs) {
      const before = performance.now()
      const running = await program.start(around.env)
      starts.push({ program: program.name, readyAfter: (performance.now() - before) / 1000 })
      await running.stop()
    }
  }
  return starts
}
