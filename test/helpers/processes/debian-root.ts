import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { missingProgram } from '../missing-program.js'

const run = promisify(execFile)

/** The release that the image is made of. */
const RELEASE = 'bookworm'
const MOST_OUTPUT = 64 * 1024 * 1024
const BASE = resolve('.cache', `debian-${RELEASE}`)

/** The root user is the only one who may change the root. */
const AS_ROOT = process.getuid?.() === 0 ? [] : ['sudo', '-n']

/** The reason why tests that need a Debian of their own are skipped. */
export const noDebianRoot: string | undefined =
  missingProgram('/usr/sbin/debootstrap', '--version') ??
  missingProgram(
    AS_ROOT[0] ?? 'unshare',
    ...AS_ROOT.slice(1),
    ...(AS_ROOT.length > 0 ? ['unshare'] : []),
    '--mount',
    'true',
  )

/** The root file system of a Debian that has little more than apt. */
export interface DebianRoot {
  readonly path: string
  /** Runs a command in it. Throws if the command fails. */
  run(...command: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }>
  /** Starts a program as a container would: as user 1000, with nothing to write but its folder `volume` and /tmp. */
  start(volume: string, env: { readonly [name: string]: string }, ...command: readonly string[]): ChildProcess
}

/** Mounts that end with the last process in them: of the kernel's own files a Debian needs /proc. */
const IN_ROOT = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
const IN_CONTAINER = `root="$0" volume="$1"; shift
mount --bind "$root" "$root"
mount --bind "$root$volume" "$root$volume"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount -o remount,ro,bind "$root"
exec chroot --userspec=1000:1000 "$root" "$@"`

/** Fetched once, and copied for each use into a folder, which is removed by the function that `atEnd` gets. */
export async function debianRoot(atEnd: (clean: () => Promise<void>) => void): Promise<DebianRoot> {
  if (!existsSync(BASE)) {
    mkdirSync(dirname(BASE), { recursive: true })
    await asRoot('rm', '-rf', `${BASE}.new`)
    await asRoot('debootstrap', '--variant=minbase', RELEASE, `${BASE}.new`)
    await asRoot('mv', `${BASE}.new`, BASE)
  }
  const path = mkdtempSync(join(tmpdir(), 'headgate-debian-'))
  atEnd(async () => void (await asRoot('rm', '-rf', path)))
  await asRoot('cp', '-aT', BASE, path)
  await asRoot('chmod', '755', path)
  return {
    path,
    run: (...command) => asRoot('unshare', '--mount', 'sh', '-ec', IN_ROOT, path, ...command),
    start(volume, env, ...command) {
      const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
      const inside = ['env', '-i', `--chdir=${volume}`, ...variables, ...command]
      const all = [...AS_ROOT, 'unshare', '--mount', 'sh', '-ec', IN_CONTAINER, path, volume, ...inside]
      const [program = '', ...args] = all
      return spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    },
  }
}

function asRoot(...command: readonly string[]) {
  const [program = '', ...args] = [...AS_ROOT, ...command]
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }
  return run(program, args, { maxBuffer: MOST_OUTPUT, env })
}
