import { execFile } from 'node:child_process'
import { cpSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { packageJson } from '../../src/process/package.js'
import { temporaryDirectory } from '../helpers/context.js'
import { debianRoot, noDebianRoot } from '../helpers/processes/debian-root.js'

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
      const debian = await debianRoot(join(temporaryDirectory(), 'root'), (clean) =>
        onTestFinished(() => void clean()),
      )
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
})
