import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { HeadgateVariant } from './programs.js'

/** Another revision of Headgate, built in a folder of its own. */
export interface Revision {
  readonly variant: Pick<HeadgateVariant, 'name' | 'program' | 'config'>
  remove(): void
}

/**
 * Builds `ref` in a worktree that shares our `node_modules`: what differs is our code and not what it stands on. `config` is
 * taken from there, for what it may say changes too; from here where that revision had none.
 */
export function buildRevision(ref: string, config: string): Revision {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-against-'))
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' })
  const remove = (): void => {
    try {
      git('worktree', 'remove', '--force', folder)
    } catch {
      // It had not been made yet.
      rmSync(folder, { recursive: true, force: true })
    }
  }
  try {
    const commit = git('rev-parse', '--verify', '--short', `${ref}^{commit}`).trim()
    git('worktree', 'add', '--detach', folder, commit)
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: folder, stdio: 'inherit' })
    const own = join(folder, config)
    return {
      variant: {
        name: `headgate at ${commit}`,
        program: join(folder, 'dist/cli.js'),
        config: existsSync(own) ? own : config,
      },
      remove,
    }
  } catch (error) {
    remove()
    throw new Error(
      `"${ref}" cannot be built to compare with: ${error instanceof Error ? error.message : error}`,
    )
  }
}
