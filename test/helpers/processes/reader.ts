import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { builtFile } from '../../../src/process/package.js'
import { temporaryDirectory } from '../context.js'

/**
 * The checkout of a reader after `npm ci`, with `./headgate` and `headgate` as commands, and other programs by name.
 * curl fails if the response is not a success.
 */
export function reader(
  atEnd: (clean: () => void) => void,
  others: { readonly [program: string]: string } = {},
): string {
  const programs = {
    headgate: `exec "${process.execPath}" "${builtFile('cli.js')}" "$@"`,
    ...others,
  }
  const scripts = Object.entries(programs).map(([name, script]) => [`bin/${name}`, `#!/bin/sh\n${script}\n`])
  const files = { ...Object.fromEntries(scripts), '.curlrc': 'fail-with-body\nsilent\n' }
  const cwd = temporaryDirectory(files, atEnd)
  for (const [path = ''] of scripts) chmodSync(join(cwd, path), 0o755)
  symlinkSync('bin/headgate', join(cwd, 'headgate'))
  for (const path of ['package.json', 'plugins.config.json', 'schemas', 'scenarios', 'docs', 'examples'])
    cpSync(path, join(cwd, path), { recursive: true })
  return cwd
}

export interface Shell {
  readonly ended: Promise<{ readonly code: number; readonly out: string; readonly output: string }>
  kill(): void
}

/** A shell of a `reader`, which ends with the first command that fails. `output` has standard error, too. */
export function shell(script: string, cwd: string, env: { readonly [name: string]: string }): Shell {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${cwd}/bin:${process.env['PATH']}`, CURL_HOME: cwd, ...env },
  })
  const streams = Promise.all([text(child.stdout), text(child.stderr)])
  const ended = once(child, 'close').then(async ([code]) => {
    const [out, err] = await streams
    return { code, out, output: out + err }
  })
  return { ended, kill: () => child.exitCode ?? process.kill(-Number(child.pid), 'SIGTERM') }
}
