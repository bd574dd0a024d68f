import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { missingProgram } from '../missing-program.js'

const run = promisify(execFile)

/** The release that the image is made of. */
const RELEASE = 'bookworm'
const BASE = resolve('.cache', `debian-${RELEASE}`)

/** The root user is the only one who may change the root. */
const AS_ROOT = process.getuid?.() === 0 ? [] : ['sudo', '-n']

/** The reason why tests that need a Debian of their own are skipped. */
export const noDebianRoot: string | undefined =
  missingProgram('debootstrap', '--version') ??
  (spawnSync('chroot', ['/', 'true']).status === 0 || AS_ROOT.length > 0
    ? undefined
    : 'skipped, because changing the root is not allowed here')

/** The root file system of a Debian that has little more than apt. */
export interface DebianRoot {
  readonly path: string
  /** Runs a command in it. Throws if the command fails. */
  run(...command: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }>
}

/** Fetched once, and copied for each use into the folder `path`. */
export async function debianRoot(
  path: string,
  atEnd: (clean: () => Promise<unknown>) => void,
): Promise<DebianRoot> {
  if (!existsSync(BASE)) {
    mkdirSync(dirname(BASE), { recursive: true })
    const temporary = `${BASE}.new`
    await asRoot('rm', '-rf', temporary)
    await asRoot('debootstrap', '--variant=minbase', RELEASE, temporary)
    renameSync(temporary, BASE)
  }
  rmSync(path, { recursive: true, force: true })
  await asRoot('cp', '-a', BASE, path)
  // A folder, and not the kernel's: a process that is left behind could not be unmounted.
  atEnd(() => asRoot('rm', '-rf', path))
  return { path, run: (...command) => asRoot('chroot', path, ...command) }
}

function asRoot(...command: readonly string[]) {
  const [program = '', ...args] = [...AS_ROOT, ...command]
  return run(program, args, {
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  })
}
