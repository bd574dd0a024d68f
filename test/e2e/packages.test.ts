import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
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
    const client = join(folder, 'node_modules/headgate/node_modules/node-rdkafka')
    expect(readFileSync(join(client, 'src/workers.cc'), 'utf8')).toMatch(
      /~ProducerSendOffsetsToTransaction\(\) \{\s+RdKafka::TopicPartition::destroy\(m_topic_partitions\)/,
    )
    // The addon of the checkout, in place of the one that the installation would take minutes to compile.
    const build = 'node_modules/node-rdkafka/build'
    cpSync(build, join(client, 'build'), { recursive: true, dereference: true })

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

  test('install.sh installs program, command, unit and config for everybody, and leaves a config that is there', async () => {
    const folder = temporaryDirectory()
    const root = temporaryDirectory({ 'etc/headgate/headgate.env': 'KAFKA_BROKERS=ours:9092\n' })
    // The umask of a machine that is set up with care.
    const asAdministrator = (command: string) =>
      run('sh', ['-ec', `umask 077; ${command}`], { env: { ...process.env, DESTDIR: root } })
    await asAdministrator(`tar -xzf ${tarball} -C ${folder} --strip-components=1`)
    await asAdministrator(join(folder, 'install.sh'))
    const { stdout } = await asAdministrator(join(folder, 'install.sh'))

    expect(stdout).toContain('systemctl daemon-reload && systemctl enable --now headgate')
    expect(readFileSync(join(root, 'etc/headgate/headgate.env'), 'utf8')).toBe('KAFKA_BROKERS=ours:9092\n')
    expect(readFileSync(join(root, 'etc/headgate/plugins.config.json'), 'utf8')).toContain(
      `\${dir:/run/credentials/headgate.service:WEBHOOK_TOKEN}`,
    )
    const { stdout: hidden } = await run('find', [
      root,
      '-mindepth',
      '1',
      '!',
      '-type',
      'l',
      '!',
      '-perm',
      '-a=r',
    ])
    expect(hidden).toBe(`${join(root, 'etc/headgate/credentials')}\n`)
    expect(statSync(join(root, 'etc/headgate/credentials')).mode & 0o777).toBe(0o700)
    expect((await run(join(root, 'opt/headgate/bin/headgate'), ['--version'])).stdout).toBe(`${version}\n`)
    expect(manPage(join(root, 'usr/local/share'))).toBe(readFileSync('docs/headgate.1', 'utf8'))
    await expectCompletions(join(root, 'usr/local/share'), 'zsh/site-functions')
  })

  test('uninstall.sh removes everything that install.sh has installed, except the config', async () => {
    const folder = temporaryDirectory()
    await run('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1'])
    const root = temporaryDirectory({ 'usr/local/share/man/man1/other.1.gz': '' })
    const env = { ...process.env, DESTDIR: root }
    await run(join(folder, 'install.sh'), [], { env })
    await run(join(root, 'opt/headgate/uninstall.sh'), [], { env })

    const { stdout } = await run('find', ['.', '!', '-type', 'd'], { cwd: root })
    const left = stdout.split('\n').filter((path) => path !== '' && !path.startsWith('./etc/headgate/'))
    expect(left).toEqual(['./usr/local/share/man/man1/other.1.gz'])
    expect(existsSync(join(root, 'opt/headgate'))).toBe(false)
    expect(existsSync(join(root, 'etc/headgate/plugins.config.json'))).toBe(true)
  })

  test.skipIf(noDebianRoot !== undefined)(
    'the Debian package installs on a bare Debian, runs there, and is removed: first all but its config, then that, too',
    async () => {
      const debian = await debianRoot(onTestFinished)
      cpSync(deb, join(debian.path, 'headgate.deb'))
      await debian.run('apt-get', 'update', '-qq')
      await debian.run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', '/headgate.deb')

      expect((await debian.run('headgate', ...DEMO)).stdout).toContain(VERDICT)
      expect(existsSync(join(debian.path, 'lib/systemd/system/headgate.service'))).toBe(true)
      expect(manPage(join(debian.path, 'usr/share'))).toBe(readFileSync('docs/headgate.1', 'utf8'))
      await expectCompletions(join(debian.path, 'usr/share'), 'zsh/vendor-completions')
      const { stdout: unmarked } = await debian.run('sh', '-c', UNMARKED)
      expect(unmarked).toBe('')

      await debian.run('sh', '-c', 'echo secret > /etc/headgate/credentials/WEBHOOK_TOKEN')
      await debian.run('apt-get', 'remove', '-y', '-qq', 'headgate')
      const installed = (path: string) => existsSync(join(debian.path, path))
      expect(['opt/headgate', 'usr/share/man/man1/headgate.1.gz'].filter(installed)).toEqual([])
      expect(installed('etc/headgate/credentials/WEBHOOK_TOKEN')).toBe(true)
      expect(installed('etc/headgate/plugins.config.json')).toBe(true)
      await debian.run('apt-get', 'purge', '-y', '-qq', 'headgate')
      expect(installed('etc/headgate')).toBe(false)
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

/** Files of the package in /etc that dpkg would overwrite in an upgrade. */
const UNMARKED = `dpkg-query -L headgate | while read -r file; do
  case "$file" in
    /etc/*) if [ -f "$file" ] && ! grep -qxF "$file" /var/lib/dpkg/info/headgate.conffiles; then echo "$file"; fi ;;
  esac
done`

const manPage = (share: string): string =>
  gunzipSync(readFileSync(join(share, 'man/man1/headgate.1.gz'))).toString()

/** Fails unless bash, zsh and fish find the completions of this version in that folder. `zsh`: that of its functions. */
async function expectCompletions(share: string, zsh: string): Promise<void> {
  const files = {
    bash: 'bash-completion/completions/headgate',
    zsh: `${zsh}/_headgate`,
    fish: 'fish/vendor_completions.d/headgate.fish',
  }
  for (const [shell, file] of Object.entries(files)) {
    const { stdout } = await run(process.execPath, ['dist/cli.js', 'completion', shell])
    expect(readFileSync(join(share, file), 'utf8'), shell).toBe(stdout)
  }
}

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
