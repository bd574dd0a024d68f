import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from '../programs/environment.js'
import type { Program } from '../programs/programs.js'

/** One start of a program. */
export interface Start {
  readonly program: string
  /** Seconds from the start of the process until it accepts events. */
  readonly readyAfter: number
  /** The first in its state directory; all others come after a stop in order. */
  readonly isFirst: boolean
}

/** State directories of each program, and how often it is started on each. */
const DIRECTORIES = 3
const TIMES = 2

/**
 * Starts the programs in alternation while the topics are empty: if they have records, Headgate reads those back
 * first.
 */
export async function measureStarts(
  programs: readonly Program[],
  environment: Environment,
): Promise<Start[]> {
  const starts: Start[] = []
  const directory = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  try {
    // Loads `fetch`, with which this process checks for readiness: it is loaded at its first use.
    await fetch('data:,')
    for (let turn = 0; turn < DIRECTORIES * TIMES; turn++) {
      for (const [index, program] of programs.entries()) {
        const before = performance.now()
        const running = await program.start({
          ...environment.env,
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
