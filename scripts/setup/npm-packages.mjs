// The packages of package-lock.json in node_modules.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { project, SetupError, twice } from './step.mjs'

const packagesOf = (lock) => JSON.parse(readFileSync(join(project, lock), 'utf8')).packages

/** By the list that npm writes into node_modules at the end of an installation, so that an interrupted one counts as none. */
export function arePackagesInstalled() {
  if (!existsSync(join(project, 'node_modules/.package-lock.json'))) return false
  const installed = packagesOf('node_modules/.package-lock.json')
  return Object.entries(packagesOf('package-lock.json'))
    .filter(([place]) => place !== '')
    .every(([place, { integrity, optional }]) =>
      // Those for other processors and systems are optional, and missing.
      installed[place] === undefined
        ? optional === true
        : installed[place].integrity === integrity && existsSync(join(project, place)),
    )
}

/** The scripts of packages are not run: only the Kafka client needs its own, and Headgate compiles that faster by itself. */
export async function installPackages() {
  const { error } = spawnSync('npm', ['--version'])
  if (error !== undefined)
    throw new SetupError(
      'npm is needed, and it is not on the PATH. It comes with Node.js from https://nodejs.org/en/download; the nodejs of Debian and Ubuntu needs "apt-get install npm".',
    )
  const options = ['--ignore-scripts', '--include=dev', '--no-audit', '--no-fund']
  await twice('Installing the npm packages of package-lock.json', ['npm', 'ci', ...options])
}
