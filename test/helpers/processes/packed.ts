import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A folder outside of the tree in which Headgate was installed from its tarball. */
export interface Installed {
  readonly folder: string
  readonly program: string
  remove(): void
}

/** Packs the built tree as `npm publish` would, and unpacks it where `npm install` would. */
export async function installPacked(): Promise<Installed> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-packed-'))
  const place = join(folder, 'node_modules/headgate')
  const options = ['--ignore-scripts', '--json', '--pack-destination', folder]
  const { stdout } = await run('npm', ['pack', ...options])
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  mkdirSync(place, { recursive: true })
  await run('tar', ['-xzf', join(folder, filename), '-C', place, '--strip-components=1'])
  // The Kafka client that it brings is not compiled.
  rmSync(join(place, 'node_modules'), { recursive: true })
  symlinkSync(resolve('node_modules'), join(place, 'node_modules'))
  cpSync('plugins.config.json', join(folder, 'plugins.config.json'))
  cpSync('schemas', join(folder, 'schemas'), { recursive: true })
  return {
    folder,
    program: join(place, 'dist/cli.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
