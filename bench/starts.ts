import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Program } from './programs.js'
import type { Surroundings } from './surroundings.js'

export interface Start {
  readonly program: string
  /** Seconds from the start of the process until it takes events. */
  readonly readyAfter: number
  /** The first in its state directory; all others come after a stop in order. */
  readonly isFirst: boolean
}

const TIMES = 4

/** Starts the programs in turns, as long as the topics are empty: with records in them, Headgate reads those back first. */
export async function measureStarts(programs: readonly Program[], around: Surroundings): Promise<Start[]> {
  const starts: Start[] = []
  const directory = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  try {
    for (let time = 0; time < TIMES; time++) {
      for (const [index, program] of programs.entries()) {
        const before = performance.now()
        const running = await program.start({
          ...around.env,
          HEADGATE_STATE_DIR: join(directory, String(index)),
        })
        const readyAfter = (performance.now() - before) / 1000
        starts.push({ program: program.name, readyAfter, isFirst: time === 0 })
        await running.stop()
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return starts
}
