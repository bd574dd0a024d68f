// Makes a tree of only what runs, from a built checkout with its node_modules: `node scripts/prune.mjs [DIRECTORY]`.
// Needs no network and compiles nothing.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const MiB = 1024 * 1024
const LIMIT = 60 * MiB

const project = fileURLToPath(new URL('..', import.meta.url))
const tree = resolve(process.argv[2] ?? join(project, 'build/headgate'))

/** Of node-rdkafka, 97 % is the source of librdkafka and what its build leaves behind. */
const RDKAFKA = 'node_modules/node-rdkafka'
const RDKAFKA_RUNTIME = [
  'LICENSE.txt',
  'package.json',
  'librdkafka.js',
  'lib',
  'build/Release/node-librdkafka.node',
  'build/deps/librdkafka.so.1',
  'build/deps/librdkafka++.so.1',
]
const NATIVE = RDKAFKA_RUNTIME.filter((path) => path.startsWith('build/'))

/** Dependencies that only a build needs: nan is C++ headers. */
const BUILD_ONLY = new Set(['node_modules/nan'])

const NOT_RUN_FOLDERS = new Set('docs test tests bench benchmarks example examples .github'.split(' '))
const DEVELOPMENT = '.map .ts .mts .cts .tsbuildinfo .md .markdown'
const NATIVE_SOURCES = '.c .cc .cpp .h .hpp .gyp .gypi .o .a'
const NOT_RUN_FILES = new Set(`${DEVELOPMENT} ${NATIVE_SOURCES}`.split(' '))

if (!existsSync(join(project, 'dist/cli.js'))) fail('dist/cli.js is missing: run "npm run build" first')

rmSync(tree, { recursive: true, force: true })
copy('dist', runs)
// Errors and warnings name pages.
copy('docs')
copy('LICENSE')
copy('scenarios')
copy('schemas')
copy('package.json')
copy('plugins.config.json')
for (const place of productionPackages()) {
  if (place === RDKAFKA) for (const path of RDKAFKA_RUNTIME) copy(join(place, path), runs)
  else copy(place, (path) => path === join(project, place) || runs(path))
}
strip(NATIVE.map((path) => join(tree, RDKAFKA, path)))

const size = sizeOf(tree)
console.log(`${tree}: ${(size / MiB).toFixed(1)} MiB`)
if (size > LIMIT) fail(`that is over the limit of ${LIMIT / MiB} MiB`)

/** The folders of all packages that are installed for more than development. A package's own node_modules are apart. */
function productionPackages() {
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'))
  return Object.entries(lock.packages)
    .filter(([place, entry]) => place !== '' && !entry.dev && !BUILD_ONLY.has(place))
    .map(([place]) => place)
    .filter((place) => existsSync(join(project, place)))
}

function copy(path, filter = () => true) {
  mkdirSync(dirname(join(tree, path)), { recursive: true })
  cpSync(join(project, path), join(tree, path), { recursive: true, filter })
}

function runs(path) {
  const name = basename(path)
  if (lstatSync(path).isDirectory()) return !NOT_RUN_FOLDERS.has(name) && name !== 'node_modules'
  return !NOT_RUN_FILES.has(extname(name).toLowerCase()) || /^(licen[cs]e|notice)/i.test(name)
}

/** Debug symbols are four fifths of the native files. Without binutils they stay. */
function strip(files) {
  const { error, status } = spawnSync('strip', ['--strip-unneeded', ...files], { stdio: 'inherit' })
  if (error) console.log(`debug symbols stay in: ${error.message}`)
  else if (status !== 0) fail('strip failed')
}

function sizeOf(path) {
  const entry = lstatSync(path)
  if (!entry.isDirectory()) return entry.size
  return readdirSync(path).reduce((total, name) => total + sizeOf(join(path, name)), 0)
}

function fail(reason) {
  console.error(`prune: ${reason}`)
  process.exit(1)
}
