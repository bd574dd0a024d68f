// The compiled parts of node-rdkafka. Its own installation compiles librdkafka on one core, every time, without a word. Here
// it is compiled once for a version, on all cores, and the addon once for an ABI of Node.js, which takes half a minute.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { PATCHES_ID, patchedAt, patchSources } from './kafka-client-patches.mjs'
import { project, SetupError, step } from './step.mjs'

const PACKAGE = join(project, 'node_modules/node-rdkafka')
const CACHE = join(project, '.cache/kafka-client')
const ADDON = 'build/Release/node-librdkafka.node'
const LIBRARIES = ['librdkafka.so.1', 'librdkafka++.so.1']

/** Outside node_modules, which the next installation of packages empties. Named after what a compiled file depends on. */
function cacheFolder() {
  const { version } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')).packages[
    'node_modules/node-rdkafka'
  ]
  return join(CACHE, `${version}-${process.platform}-${process.arch}`)
}

const addonFile = (abi) => join(cacheFolder(), `addon-${abi}-${PATCHES_ID}.node`)

export const isAddonCached = () => existsSync(addonFile(process.versions.modules))

/**
 * Whether it loads, with all it should have: it may be of another Node.js or system, compiled before a library was there, or by npm
 * without the patches.
 */
export function isAddonBuilt() {
  if (!existsSync(join(PACKAGE, ADDON))) return false
  const patched = patchedAt(PACKAGE)
  if (patched === undefined || statSync(join(PACKAGE, ADDON)).mtimeMs < patched) return false
  const check = `const { features } = require(${JSON.stringify(PACKAGE)})
    process.exit(['ssl', 'zstd'].every((name) => features.includes(name)) ? 0 : 1)`
  return spawnSync(process.execPath, ['-e', check]).status === 0
}

/** Puts the addon of this Node.js into node_modules. */
export async function installAddon() {
  const cached = isAddonCached()
  const addon = await compileAddon()
  placeAddon(addon, PACKAGE)
  if (isAddonBuilt()) return
  if (!cached)
    throw new SetupError(
      `The compiled Kafka client does not load: "node -e 'require("${PACKAGE}")'" says why.`,
    )
  console.error(
    'The Kafka client that was compiled before does not load on this system, and is compiled again.',
  )
  rmSync(cacheFolder(), { recursive: true })
  await installAddon()
}

/** Copies what node-rdkafka loads into a copy of its package. */
export function placeAddon(addon, folder) {
  rmSync(join(folder, 'build'), { recursive: true, force: true })
  for (const name of LIBRARIES) cpSync(join(cacheFolder(), 'lib', name), join(folder, 'build/deps', name))
  cpSync(addon, join(folder, `${ADDON}.new`))
  renameSync(join(folder, `${ADDON}.new`), join(folder, ADDON))
}

/**
 * Compiles the addon, if it is not yet.
 * @param {{ node: string, abi: string }} [target] The Node.js that is to load it, by the path of its executable.
 * @returns The path of the addon.
 */
export async function compileAddon(target = { node: process.execPath, abi: process.versions.modules }) {
  // Also if there is nothing to compile: `isAddonBuilt` goes by the sources.
  patchSources(PACKAGE)
  const result = addonFile(target.abi)
  if (existsSync(result)) return result
  await compileLibrary()
  const cache = linked(cacheFolder())
  const source = join(workFolder(), `addon-${target.abi}`)
  for (const path of ['binding.gyp', 'package.json', 'src', 'util', 'deps/librdkafka.gyp'])
    cpSync(join(PACKAGE, path), join(source, path), { recursive: true })
  cpSync(realpathSync(join(project, 'node_modules/nan')), join(source, 'node_modules/nan'), {
    recursive: true,
  })

  const files = readdirSync(join(source, 'src')).filter((name) => name.endsWith('.cc')).length
  const env = {
    ...process.env,
    PATH: `${dirname(target.node)}:${process.env['PATH']}`,
    ...headersOf(target.node),
    JOBS: String(availableParallelism()),
    // Against the library that is compiled already. First in the search, for there may be others in /usr/include.
    BUILD_LIBRDKAFKA: '0',
    CXX: `g++ -I${cache}/include`,
    // As DT_RPATH, which librdkafka's own search for OpenSSL follows, too: a package can bring that along.
    LDFLAGS: `-L${cache}/lib -Wl,--disable-new-dtags,-rpath,'$$ORIGIN/../deps'`,
  }
  // The script, and not node-gyp itself, because npm knows where its node-gyp is.
  await step(
    `Compiling the addon for Node.js ${target.abi === process.versions.modules ? process.versions.node : `ABI ${target.abi}`}`,
    ['npm', 'run', 'install'],
    {
      env,
      cwd: source,
      count: counter(/^ {2}CXX\(target\)/, files),
    },
  )
  // The work folder may be on another disk.
  cpSync(join(source, ADDON), `${result}.${process.pid}`)
  renameSync(`${result}.${process.pid}`, result)
  return result
}

/** The headers that came with a Node.js, so that none are downloaded. */
function headersOf(node) {
  const prefix = dirname(dirname(node))
  const version = join(prefix, 'include/node/node_version.h')
  if (!existsSync(version)) return {}
  const text = readFileSync(version, 'utf8')
  const found = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`NODE_${part}_VERSION (\\d+)`).exec(text)?.[1],
  )
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  if (stdout.trim() !== `v${found.join('.')}`) return {}
  return { npm_config_nodedir: prefix.startsWith(project) ? linked(prefix) : prefix }
}

let work = ''

/**
 * A folder of this process alone, for a test and a package may need the same addon at the same time. It has a link to the project,
 * because configure and node-gyp fail if there is a space in a path.
 */
function workFolder() {
  if (existsSync(work)) return work
  const parent = /[^\w./-]/.test(CACHE) ? tmpdir() : cacheFolder()
  mkdirSync(parent, { recursive: true })
  work = mkdtempSync(join(parent, 'work-'))
  symlinkSync(project, join(work, 'project'))
  process.once('exit', () => rmSync(work, { recursive: true, force: true }))
  return work
}

/** The path of a file of the project by that link. */
const linked = (path) => join(workFolder(), 'project', relative(project, path))

/** In a copy of the sources, which keeps its objects if it is interrupted. */
async function compileLibrary() {
  const cache = cacheFolder()
  if (existsSync(join(cache, 'lib'))) return
  const source = join(cache, 'librdkafka')
  if (!existsSync(join(source, 'Makefile.config'))) {
    rmSync(source, { recursive: true, force: true })
    cpSync(join(PACKAGE, 'deps/librdkafka'), source, { recursive: true })
    // Without debug symbols, which take a quarter of the time. The script takes its path from PWD.
    const cwd = linked(source)
    const env = { ...process.env, PWD: cwd }
    await step('Configuring librdkafka', ['./configure', '--disable-debug-symbols'], { cwd, env })
  }
  removeHalfWritten(source)
  const make = ['make', '-C', source, `-j${availableParallelism()}`, 'libs']
  // Of an outer make: librdkafka takes them for its own.
  const { MAKEFLAGS, JOBS, ...env } = process.env
  const missing =
    spawnSync('make', ['-n', '-C', source, 'libs'], { env, encoding: 'utf8' }).stdout.match(COMPILES)
      ?.length ?? 0
  const written = objectsOf(source).length
  await step('Compiling librdkafka', make, { env, count: counter(COMPILES, written + missing, written) })

  const built = join(cache, 'lib.new')
  rmSync(built, { recursive: true, force: true })
  mkdirSync(built)
  for (const [folder, name] of [
    ['src', 'librdkafka'],
    ['src-cpp', 'librdkafka++'],
  ]) {
    copyFileSync(join(source, folder, `${name}.so.1`), join(built, `${name}.so.1`))
    symlinkSync(`${name}.so.1`, join(built, `${name}.so`))
  }
  for (const header of ['src/rdkafka.h', 'src/rdkafka_mock.h', 'src-cpp/rdkafkacpp.h'])
    cpSync(join(source, header), join(cache, 'include', header.replace(/^.*\//, '')))
  renameSync(built, join(cache, 'lib'))
  rmSync(source, { recursive: true })
}

/** A line of make that compiles a file. */
const COMPILES = /^(gcc|g\+\+|cc|c\+\+) .* -c /gm

const objectsOf = (source) =>
  ['src', 'src-cpp']
    .flatMap((folder) =>
      readdirSync(join(source, folder), { recursive: true }).map((name) => join(source, folder, name)),
    )
    .filter((path) => path.endsWith('.o'))

/** The last that were written before an interruption may be incomplete, one for each job. */
function removeHalfWritten(source) {
  const age = (path) => statSync(path).mtimeMs
  const newest = objectsOf(source).toSorted((a, b) => age(b) - age(a))
  for (const path of newest.slice(0, availableParallelism())) rmSync(path)
}

/** How many lines of a kind there were. make prints a line when it begins a file. */
function counter(kind, all, before = 0) {
  let count = before
  return (line) => (line.search(kind) === 0 ? `${Math.min(++count, all)} of ${all} files` : undefined)
}
