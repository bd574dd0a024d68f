import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { packageJson } from '../../src/process/package.js'
import { temporaryDirectory } from '../helpers/context.js'
import { freePorts } from '../helpers/free-ports.js'
import { type DebianRoot, debianRoot, noDebianRoot } from '../helpers/processes/debian-root.js'

const run = promisify(execFile)

const { version } = packageJson()
const DEMO = ['demo', '--events', '100']
const VERDICT = 'Everything reconciles: 100 requests'
/** Compilers, package registries and compression take their time. */
const MINUTES = 10 * 60_000

test(
  'the npm package installs into an empty folder, and its demo runs there',
  async () => {
    const folder = temporaryDirectory({ 'package.json': '{ "private": true }' })
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder])
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
    await run('npm', ['install', ...options, join(folder, `headgate-${version}.tgz`)], { cwd: folder })
    // The addon of the checkout, in place of the one that the installation would take minutes to compile.
    const build = 'node_modules/node-rdkafka/build'
    cpSync(build, join(folder, build), { recursive: true, dereference: true })

    const headgate = join(folder, 'node_modules/.bin/headgate')
    expect((await run(headgate, DEMO, { cwd: folder })).stdout).toContain(VERDICT)
  },
  MINUTES,
)

describe.skipIf(process.platform !== 'linux')('the packages that need no Node.js', () => {
  const output = resolve('build/packages')
  const tarball = join(output, `headgate-${version}-linux-${process.arch}.tar.gz`)
  const deb = join(
    output,
    `headgate_${version}_${{ x64: 'amd64', arm64: 'arm64' }[String(process.arch)]}.deb`,
  )
  beforeAll(() => run(process.execPath, ['scripts/package.mjs', output]), MINUTES)

  test('the tarball is below 60 MB', () => {
    expect(statSync(tarball).size).toBeLessThan(60_000_000)
  })

  test('the tarball runs where it is unpacked, with no Node.js on the PATH', async () => {
    const folder = temporaryDirectory()
    await run('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1'])
    const { stdout } = await run(join(folder, 'bin/headgate'), DEMO, { env: { PATH: '/usr/bin:/bin' } })
    expect(stdout).toContain(VERDICT)
  })

  test('install.sh installs program, command, unit and config, and leaves a config that is there', async () => {
    const folder = temporaryDirectory()
    await run('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1'])
    const root = temporaryDirectory({ 'etc/headgate/headgate.env': 'KAFKA_BROKERS=ours:9092\n' })
    const install = () => run(join(folder, 'install.sh'), [], { env: { ...process.env, DESTDIR: root } })
    await install()
    const { stdout } = await install()

    expect(stdout).toContain('systemctl daemon-reload && systemctl enable --now headgate')
    expect(readFileSync(join(root, 'etc/headgate/headgate.env'), 'utf8')).toBe('KAFKA_BROKERS=ours:9092\n')
    expect(readFileSync(join(root, 'etc/headgate/plugins.config.json'), 'utf8')).toContain(
      `\${dir:/run/credentials/headgate.service:WEBHOOK_TOKEN}`,
    )
    expect(existsSync(join(root, 'etc/systemd/system/headgate.service'))).toBe(true)
    expect(statSync(join(root, 'etc/headgate/credentials')).mode & 0o777).toBe(0o700)
    expect((await run(join(root, 'opt/headgate/bin/headgate'), ['--version'])).stdout).toBe(`${version}\n`)
  })

  test.skipIf(noDebianRoot !== undefined)(
    'the Debian package installs on a bare Debian, runs there, and is removed without a trace but its config',
    async () => {
      const debian = await debianRoot(onTestFinished)
      cpSync(deb, join(debian.path, 'headgate.deb'))
      await debian.run('apt-get', 'update', '-qq')
      await debian.run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', '/headgate.deb')

      expect((await debian.run('headgate', ...DEMO)).stdout).toContain(VERDICT)
      expect(existsSync(join(debian.path, 'lib/systemd/system/headgate.service'))).toBe(true)
      await debian.run('apt-get', 'remove', '-y', '-qq', 'headgate')
      expect(existsSync(join(debian.path, 'opt/headgate'))).toBe(false)
      expect(existsSync(join(debian.path, 'etc/headgate/plugins.config.json'))).toBe(true)
    },
    MINUTES,
  )

  test.skipIf(noDebianRoot !== undefined)(
    'the last stage of the Dockerfile, step by step on a Debian with Node.js: an image that is healthy, stops, and has tools',
    async () => {
      const debian = await debianRoot(onTestFinished)
      const folder = temporaryDirectory()
      await run('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1'])
      const { env, health, entrypoint } = await lastStage(
        debian,
        join(folder, 'app'),
        join(folder, 'bin/node'),
      )
      expect(await debian.run('sh', '-c', 'command -v npm npx corepack || echo none')).toMatchObject({
        stdout: 'none\n',
      })

      const [port, adminPort] = await freePorts(2)
      const settings = {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        ...env,
        ...ADDRESSES,
        HEADGATE_PORT: String(port),
        HEADGATE_ADMIN_PORT: String(adminPort),
      }
      const start = (...command: readonly string[]) => debian.start(VOLUME, settings, ...command)
      const code = async (child: ChildProcess) => (await once(child, 'exit'))[0]
      const headgate = start(...entrypoint)
      onTestFinished(() => void headgate.kill('SIGKILL'))
      for await (const line of createInterface({ input: headgate.stdout as NodeJS.ReadableStream }))
        if (line.includes('"event":"listening"')) break
      headgate.stdout?.resume()

      expect(await code(start(...health))).toBe(0)
      expect(await code(start('headgate', 'ledger'))).toBe(0)
      const stopped = code(headgate)
      headgate.kill('SIGTERM')
      expect(await stopped).toBe(0)
      expect(await code(start(...health))).toBe(1)
      expect(await code(start('headgate', ...DEMO))).toBe(0)
    },
    MINUTES,
  )
})

const VOLUME = '/var/lib/headgate'
/** Nobody is there. */
const ADDRESSES = {
  KAFKA_BROKERS: '127.0.0.1:1',
  CXONE_BASE_URL: 'http://127.0.0.1:1',
  CXONE_CLIENT_ID: 'id',
  CXONE_CLIENT_SECRET: 'secret',
  WEBHOOK_TOKEN: 'token',
}

/** Does what the Dockerfile says after its last FROM. `app` is what its build stage made, `node` the one of its base. */
async function lastStage(debian: DebianRoot, app: string, node: string) {
  const text = readFileSync('Dockerfile', 'utf8')
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n/g, '')
  const steps = text.slice(text.lastIndexOf('\nFROM ')).split('\n')
  const of = (name: string) =>
    steps.filter((step) => step.startsWith(`${name} `)).map((step) => step.slice(name.length + 1))
  await run('cp', [node, join(debian.path, 'usr/local/bin/node')])
  for (const step of steps) {
    if (step.startsWith('RUN ')) await debian.run('sh', '-ec', step.slice('RUN '.length))
    const [, from = '', to = ''] = /^COPY --from=build \/headgate(\S*) (\S+)$/.exec(step) ?? []
    if (to === '') continue
    // A folder is copied by its content, as the builder does it.
    const target = join(debian.path, to)
    if (to.endsWith('/')) await run('install', ['-D', '-t', target, app + from])
    else await run('sh', ['-ec', 'mkdir -p "$1" && cp -R "$0/." "$1"', app + from, target])
  }
  const words = (json: string | undefined) => JSON.parse(String(json)) as string[]
  return {
    env: Object.fromEntries(
      [...String(of('ENV')[0]).matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
    ),
    health: words(/CMD (\[.*\])$/.exec(String(of('HEALTHCHECK')[0]))?.[1]),
    entrypoint: [...words(of('ENTRYPOINT')[0]), ...words(of('CMD')[0])],
  }
}
