import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The result of `scripts/prune.mjs` on the built checkout, in a folder outside of it. */
export interface PrunedTree {
  readonly path: string
  /** The output of the script. */
  readonly output: string
  remove(): void
}

export async function pruneTree(): Promise<PrunedTree> {
  const parent = mkdtempSync(join(tmpdir(), 'headgate-pruned-'))
  const path = join(parent, 'headgate')
  const { stdout } = await run(process.execPath, ['scripts/prune.mjs', path])
  return { path, output: stdout, remove: () => rmSync(parent, { recursive: true, force: true }) }
}
