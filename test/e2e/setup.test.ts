import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageJson } from '../../src/process/package.js'
import { temporaryDirectory } from '../helpers/context.js'

const ADDON = 'build/Release/node-librdkafka.node'

/** A checkout without a build. Its packages are ours; the Kafka client counts as complete, whatever ours was compiled with. */
function checkout(): string {
  const ours = (path: string) => `require(${JSON.stringify(resolve('node_modules/node-rdkafka', path))})`
  const folder = temporaryDirectory({
    'node_modules/node-rdkafka/index.js': `module.exports = { ...${ours('.')}, features: ['ssl', 'zstd'] }`,
    'node_modules/node-rdkafka/librdkafka.js': `module.exports = ${ours('librdkafka.js')}`,
    [`node_modules/node-rdkafka/${ADDON}`]: '',
  })
  // With the time at which they were patched.
  const sources = 'node_modules/node-rdkafka/src'
  cpSync(sources, join(folder, sources), { recursive: true, preserveTimestamps: true })
  for (const path of [
    'headgate',
    'scripts',
    'src',
    'console',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
  ])
    cpSync(path, join(folder, path), { recursive: true })
  cpSync('node_modules/.package-lock.json', join(folder, 'node_modules/.package-lock.json'))
  for (const name of readdirSync('node_modules'))
    if (!name.startsWith('.') && name !== 'node-rdkafka')
      symlinkSync(resolve('node_modules', name), join(folder, 'node_modules', name))
  return folder
}

/** A checkout whose build takes no time, for tests of when it is built. `before`: statements that run first. */
function quickCheckout(before = ''): string {
  const folder = checkout()
  writeFileSync(
    join(folder, 'scripts/bundle.mjs'),
    `import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
    import { setTimeout } from 'node:timers/promises'
    ${before}
    mkdirSync('dist', { recursive: true })
    writeFileSync('dist/cli.js', 'console.log("${packageJson().version}")')`,
  )
  return folder
}

async function run(folder: string, env: NodeJS.ProcessEnv = process.env, onError = (_: string) => {}) {
  const child = execFile(join(folder, 'headgate'), ['--version'], { env, cwd: temporaryDirectory() })
  const output = { out: '', err: '' }
  child.stdout?.on('data', (text) => {
    output.out += text
  })
  child.stderr?.on('data', (text) => {
    output.err += text
    onError(output.err)
  })
  child.stdin?.end()
  const [code] = await once(child, 'close')
  return { code, ...output }
}

const BUILD = 'Building Headgate\n'
const READY = { code: 0, out: `${packageJson().version}\n`, err: '' }

describe('./headgate in a checkout that has its packages', () => {
  // The one build that is not quick: beside a Kafka cluster on the same cores it takes most of a minute.
  test('builds Headgate, and does not do so again', { timeout: 180_000 }, async () => {
    const folder = checkout()
    expect(await run(folder)).toEqual({ ...READY, err: BUILD })
    expect(await run(folder)).toEqual(READY)
  })

  test.each([
    ['a source changed', (folder: string) => utimesSync(join(folder, 'src/cli.ts'), new Date(), new Date())],
    ['a source was deleted', (folder: string) => rmSync(join(folder, 'src/added.ts'))],
    ['the build was interrupted', (folder: string) => rmSync(join(folder, '.cache/ready'))],
    ['the build was deleted', (folder: string) => rmSync(join(folder, 'dist'), { recursive: true })],
  ])('builds it again when %s', async (_reason, change) => {
    const folder = quickCheckout()
    writeFileSync(join(folder, 'src/added.ts'), '')
    expect(await run(folder)).toEqual({ ...READY, err: BUILD })
    change(folder)
    expect(await run(folder)).toEqual({ ...READY, err: BUILD })
    expect(await run(folder)).toEqual(READY)
  })

  test('builds it once when two commands start at the same time', async () => {
    const folder = quickCheckout(`while (!existsSync('.cache/other-waits')) await setTimeout(20)`)
    const onError = (err: string) => {
      if (err.includes('Waiting for it.')) writeFileSync(join(folder, '.cache/other-waits'), '')
    }
    const command = () => run(folder, process.env, onError)
    const both = await Promise.all([command(), command()])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(both.filter(({ err }) => err === BUILD)).toHaveLength(1)
    expect(both.map(({ err }) => err).join('')).toContain('Waiting for it.')
  })
})

/** A PATH with what every Debian has and Node.js, without a compiler. */
function bareMachine(): string {
  const folder = temporaryDirectory()
  const programs = 'bash dirname env find flock ls mkdir mv readlink rm'.split(' ')
  for (const name of programs) symlinkSync(join('/usr/bin', name), join(folder, name))
  symlinkSync(process.execPath, join(folder, 'node'))
  const write = (name: string, script: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  write('apt-get', 'exit 1')
  write('sudo', 'if [ "$1" != -v ]; then exec "$@"; fi')
  return folder
}

test('on a machine without a compiler, where nobody can be asked, it says what to install and why, and installs nothing', async () => {
  const folder = checkout()
  rmSync(join(folder, 'node_modules'), { recursive: true })
  const { code, out, err } = await run(folder, { PATH: bareMachine() })

  expect([code, out]).toEqual([1, ''])
  expect(err).toMatch(/^ {2}g\+\+ {2,}to compile the Kafka client, librdkafka$/m)
  expect(err).toMatch(/^ {2}(sudo )?apt-get install -y --no-install-recommends .*g\+\+/m)
  expect(statSync(join(folder, 'node_modules'), { throwIfNoEntry: false })).toBeUndefined()
})

test('in CI it does not ask, and says with the output of apt-get why an installation failed', async () => {
  const folder = checkout()
  rmSync(join(folder, 'node_modules'), { recursive: true })
  const { code, err } = await run(folder, { PATH: bareMachine(), CI: 'true' })

  expect(code).toBe(1)
  expect(err).toContain('Reading the package lists failed: it ended with 1.')
})

/** A user other than root, also where root runs the tests. */
const NOT_ROOT = { NODE_OPTIONS: '--import=data:text/javascript,process.getuid=()=>1000' }

test('a user for whom there is no sudo is told what root is to run', async () => {
  const folder = checkout()
  rmSync(join(folder, 'node_modules'), { recursive: true })
  const path = bareMachine()
  rmSync(join(path, 'sudo'))
  const { code, err } = await run(folder, { PATH: path, CI: 'true', ...NOT_ROOT })

  expect(code).toBe(1)
  expect(err).toMatch(
    /There is no sudo here.* Run this as root, and start again:\n\n {2}apt-get install -y .*g\+\+/,
  )
})

test('if sudo refuses, nothing is installed, and it does not ask for a password again', async () => {
  const folder = checkout()
  rmSync(join(folder, 'node_modules'), { recursive: true })
  const path = bareMachine()
  writeFileSync(join(path, 'sudo'), '#!/bin/sh\nexit 1\n')
  const { code, err } = await run(folder, { PATH: path, CI: 'true', ...NOT_ROOT })

  expect(code).toBe(1)
  expect(err).toContain('sudo has refused, so nothing was installed.')
  expect(err).not.toContain('Reading the package lists')
})

test.each([
  { key: 'Ctrl-C', typed: '\x03', code: 130, said: 'Stopped. The next start continues from here.' },
  { key: 'Ctrl-D', typed: '\x04', code: 1, said: 'Nothing was installed.' },
])('$key ends the question for packages without an error of the program', async ({ typed, code, said }) => {
  const folder = checkout()
  rmSync(join(folder, 'node_modules'), { recursive: true })
  const command = ['--quiet', '--return', '--command', `'${folder}/headgate' --version`, '/dev/null']
  const terminal = spawn('/usr/bin/script', command, { env: { PATH: bareMachine() } })
  let shown = ''
  let isAsked = false
  terminal.stdout.on('data', (text) => {
    shown += text
    if (isAsked || !shown.includes('[y/N]')) return
    isAsked = true
    terminal.stdin.write(typed)
  })
  const [ended] = await once(terminal, 'close')

  expect([ended, shown]).toEqual([code, expect.stringContaining(said)])
  expect(shown).not.toMatch(/Error|node:internal/)
})

test('a checkout that cannot be written to is named', async () => {
  const folder = checkout()
  // Root may write to every folder, but not into a file.
  writeFileSync(join(folder, '.cache'), '')
  const { code, out, err } = await run(folder)

  expect([code, out]).toEqual([1, ''])
  expect(err).toContain(`Headgate has to be built first, and ${folder} cannot be written to.`)
})

test.each(['12.22.9', '20.18.3'])('Node.js %s is too old, and named with its path', async (version) => {
  const path = bareMachine()
  rmSync(join(path, 'node'))
  // An old one cannot load modules as they are written here.
  const node = `#!/bin/sh\nif [ "$1" = --version ]; then echo v${version}; else exit 1; fi\n`
  writeFileSync(join(path, 'node'), node, { mode: 0o755 })
  const { code, out, err } = await run(checkout(), { PATH: path })

  expect([code, out]).toEqual([1, ''])
  expect(err).toBe(
    `Node.js 20.19 or later is needed, and ${join(path, 'node')} is v${version}. Get it from https://nodejs.org/en/download\n`,
  )
})

test('without Node.js it says which is needed', async () => {
  const path = bareMachine()
  rmSync(join(path, 'node'))
  const { code, err } = await run(checkout(), { PATH: path })

  expect(code).toBe(1)
  expect(err).toContain('Node.js 20.19 or later is needed')
})

test('the oldest Node.js of the setup is that of the package', () => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(readFileSync('scripts/setup/prepare.sh', 'utf8')).toContain(
    `Node.js ${engines.node.replace('>=', '')} or later is needed, and $(`,
  )
})

/** As configure and node-gyp: librdkafka's script fails at a space in its path, and so do the files that node-gyp writes. */
const COMPILERS = {
  configure: 'case "$PWD" in *" "*) exit 1 ;; esac; : > Makefile.config',
  make: 'if [ "$1" = -C ]; then : > "$2/src/librdkafka.so.1"; : > "$2/src-cpp/librdkafka++.so.1"; fi',
  install: `case "$PWD$CXX$LDFLAGS" in *'my checkout'*) exit 1 ;; esac; mkdir -p build/Release; : > ${ADDON}`,
}

const SOURCES = [
  'binding.gyp',
  'deps/librdkafka.gyp',
  ...['rdkafka.h', 'rdkafka_mock.h'].map((name) => `deps/librdkafka/src/${name}`),
  'deps/librdkafka/src-cpp/rdkafkacpp.h',
]

test('the Kafka client is compiled in a folder with a space in its path', async () => {
  const folder = join(temporaryDirectory(), 'my checkout')
  renameSync(quickCheckout(), folder)
  const client = join(folder, 'node_modules/node-rdkafka')
  rmSync(join(client, ADDON))
  for (const path of ['src', 'util', 'deps/librdkafka/src', 'deps/librdkafka/src-cpp'])
    mkdirSync(join(client, path), { recursive: true })
  for (const file of SOURCES) writeFileSync(join(client, file), '')
  writeFileSync(join(client, 'package.json'), JSON.stringify({ scripts: { install: COMPILERS.install } }))
  const script = (path: string, text: string) => writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  script(join(client, 'deps/librdkafka/configure'), COMPILERS.configure)
  const path = bareMachine()
  script(join(path, 'make'), COMPILERS.make)
  // For a Node.js without npm beside it; the own one of another comes first.
  script(join(path, 'npm'), COMPILERS.install)
  for (const name of ['g++', 'python3']) script(join(path, name), 'exit 1')

  const { code, out, err } = await run(folder, { PATH: path })
  expect([code, out], err).toEqual([0, READY.out])
  const [cache = ''] = readdirSync(join(folder, '.cache/kafka-client'))
  // Nothing of the compilation is left.
  expect(readdirSync(join(folder, '.cache/kafka-client', cache)).toSorted()).toEqual([
    expect.stringMatching(`^addon-${process.versions.modules}-[0-9a-f]{12}\\.node$`),
    'include',
    'lib',
  ])
})

test('packages that are not those of package-lock.json count as not installed', async () => {
  const folder = checkout()
  writeFileSync(join(folder, 'node_modules/.package-lock.json'), '{ "packages": {} }')
  const { code, err } = await run(folder, { PATH: bareMachine() })

  expect(code).toBe(1)
  expect(err).toContain('This machine lacks packages that Headgate needs')
})

test('an addon that does not load counts as not compiled', async () => {
  const folder = checkout()
  writeFileSync(join(folder, 'node_modules/node-rdkafka/index.js'), 'throw new Error("another ABI")')
  const { code, err } = await run(folder, { PATH: bareMachine() })

  expect(code).toBe(1)
  expect(err).toContain('to compile the Kafka client')
})

test('an addon that npm compiled before the sources were patched counts as not compiled', async () => {
  const folder = checkout()
  utimesSync(join(folder, 'node_modules/node-rdkafka', ADDON), 0, 0)
  const { code, err } = await run(folder, { PATH: bareMachine() })

  expect(code).toBe(1)
  expect(err).toContain('to compile the Kafka client')
})

test('sources of the Kafka client that have no place for a patch end the setup, and are named', async () => {
  const folder = checkout()
  const file = join(folder, 'node_modules/node-rdkafka/src/workers.cc')
  writeFileSync(file, '// Another version.')
  const patching = execFile(process.execPath, ['scripts/patch-kafka-client.mjs'], { cwd: folder })
  let err = ''
  patching.stderr?.on('data', (text) => {
    err += text
  })
  const [code] = await once(patching, 'close')

  expect([code, err]).toEqual([1, expect.stringContaining(`${file} has 0 places for the patch`)])
})
