// Other versions of Node.js, from the npm packages that carry its executable and its headers.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { project, twice } from './step.mjs'

/** The LTS that packages and the image bring along, with its ABI. */
export const PACKED_NODE = { version: '24.22.3', abi: '137' }

/** One of each line that is maintained. */
export const NODE_VERSIONS = [
  { version: '22.23.5', abi: '127' },
  PACKED_NODE,
  { version: '26.12.1', abi: '147' },
]

/** Fetches a version, if it is not there yet. Returns the path of the executable. */
export async function fetchNode(version) {
  const folder = join(project, '.cache/node', version)
  const name = `node-${process.platform}-${process.arch}`
  const node = join(folder, 'node_modules', name, 'bin/node')
  // npm writes this list last.
  if (existsSync(join(folder, 'node_modules/.package-lock.json'))) return node
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save']
  await twice(`Fetching Node.js ${version}`, [
    'npm',
    'install',
    '--prefix',
    folder,
    ...options,
    `${name}@${version}`,
  ])
  return node
}
