import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Program } from './programs.js'
import type { Environment } from './surroundings.js'

export interface Start {
  readonly program: string
  /** Seconds from the start of the process until it takes events. */
  readonly readyAfter: number
  /** The first in its state directory; all others come after a stop in order. */
  readonly isFirst: boolean
}

/** State directories of each program, and how often it is started on each. */
const DIRECTORIES = 3
const TIMES = 2

/** Starts the programs in turns, as long as the topics are empty: with records in them, Headgate reads those back first. */
export async function measureStarts(programs: readonly Program[], around: Environment): Promise<Start[]> {
  const starts: Start[] = []
  const directory = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  try {
    // Whether a program is ready, this process asks with `fetch`, which is loaded when it is first used.
    await fetch('data:,')
    for (let turn = 0; turn < DIRECTORIES * TIMES; turn++) {
      for (const [index, program] of programs.entries()) {
        const before = performance.now()
        const running = await program.start({
          ...around.env,
          HEADGATE_STATE_DIR: join(directory, `${index}-${Math.floor(turn / TIMES)}`),
        })
        const readyAfter = (performance.now() - before) / 1000
        starts.push({ program: program.name, readyAfter, isFirst: turn % TIMES === 0 })
        await running.stop()
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return starts
}
