// Makes packages that need no Node.js and no compiler where they are installed, from a built checkout: `node scripts/package.mjs
// [DIRECTORY]`. The tarball has the pruned tree, Node.js, the Kafka client and the libraries that it needs, the man page and the
// completions; the .deb is made of it.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { compileAddon, placeAddon } from './setup/kafka-client.mjs'
import { fetchNode, PACKED_NODE } from './setup/node-versions.mjs'
import { beginProgram, project, SetupError, step } from './setup/step.mjs'

const MiB = 1024 * 1024
const LIMIT = 60 * MiB
/** Where the unit of systemd gives the service its secrets. */
const CREDENTIALS = '/run/credentials/headgate.service'
/** Below /usr/local/share/zsh; packages of Debian have `vendor-completions` of /usr/share/zsh. */
const ZSH_FUNCTIONS = 'site-functions'
/** Of the C library and the compiler: a system has them, and they have to fit its kernel and its Node.js. */
const OF_THE_SYSTEM = /^(linux-vdso|ld-linux|lib(c|m|dl|rt|pthread|resolv|stdc\+\+|gcc_s|atomic))[.-]/

const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
/** A program runs with the C library that it was compiled with, and with every later one. */
const libc = spawnSync('getconf', ['GNU_LIBC_VERSION'], { encoding: 'utf8' })
  .stdout.trim()
  .replace('glibc ', '')
const output = resolve(process.argv[2] ?? join(project, 'build/packages'))
const name = `headgate-${version}-linux-${process.arch}`
const folder = join(output, name)
/** Everybody may read and start a package's files, whatever the umask of the one who makes it. */
const MODES = 'u=rwX,go=rX'

beginProgram()
rmSync(folder, { recursive: true, force: true })
mkdirSync(join(folder, 'bin'), { recursive: true })
await fillFolder()
await makeTarball()
await makeDebianPackage()
rmSync(folder, { recursive: true })

async function fillFolder() {
  const node = await fetchNode(PACKED_NODE.version)
  const addon = await compileAddon({ node, abi: PACKED_NODE.abi })
  const app = join(folder, 'app')
  await step('Making the tree that runs', ['node', 'scripts/prune.mjs', app])
  const client = join(app, 'node_modules/node-rdkafka')
  placeAddon(addon, client)
  // Not cpSync, which on Node.js 24 takes a link to a file for a folder.
  for (const library of librariesOf(join(client, 'build/deps/librdkafka.so.1')))
    copyFileSync(library, join(client, 'build/deps', basename(library)))
  cpSync(node, join(folder, 'bin/node'))
  cpSync(join(project, 'packaging/headgate.sh'), join(folder, 'bin/headgate'))
  // Symbols are a fifth of Node.js, and four fifths of the Kafka client.
  const native = readdirSync(join(client, 'build/deps')).map((file) => join(client, 'build/deps', file))
  native.push(join(client, 'build/Release/node-librdkafka.node'), join(folder, 'bin/node'))
  await step('Removing debug symbols', ['strip', '--strip-unneeded', ...native])

  fillShare()
  for (const script of ['install.sh', 'uninstall.sh']) writeFilled(script, join(folder, script))
  cpSync(join(project, 'LICENSE'), join(folder, 'LICENSE'))
  for (const unit of ['headgate.service', 'headgate.socket'])
    cpSync(join(project, 'deploy/systemd', unit), join(folder, 'systemd', unit))
  cpSync(join(project, 'schemas'), join(folder, 'config/schemas'), { recursive: true })
  cpSync(join(project, 'deploy/systemd/headgate.env.example'), join(folder, 'config/headgate.env'))
  writeFileSync(join(folder, 'config/plugins.config.json'), configWithCredentials())
}

/** The man page and the completions, at the places of /usr/local/share where man and the shells look for them. */
function fillShare() {
  const write = (path, content) => {
    mkdirSync(dirname(join(folder, 'share', path)), { recursive: true })
    writeFileSync(join(folder, 'share', path), content)
  }
  write('man/man1/headgate.1.gz', gzipSync(readFileSync(join(project, 'docs/headgate.1')), { level: 9 }))
  write('bash-completion/completions/headgate', completionOf('bash'))
  write(`zsh/${ZSH_FUNCTIONS}/_headgate`, completionOf('zsh'))
  write('fish/vendor_completions.d/headgate.fish', completionOf('fish'))
}

/** From the packed program itself, so that the completion has the commands of this version. */
function completionOf(shell) {
  const { status, stdout, stderr } = spawnSync(join(folder, 'bin/headgate'), ['completion', shell])
  if (status !== 0) throw new SetupError(`"headgate completion ${shell}" ended with ${status}.\n${stderr}`)
  return stdout
}

/** The shipped config, with its secrets from the credentials of the unit and its addresses from the environment. */
function configWithCredentials() {
  const unit = readFileSync(join(project, 'deploy/systemd/headgate.service'), 'utf8')
  const config = readFileSync(join(project, 'plugins.config.json'), 'utf8')
  return [...unit.matchAll(/^LoadCredential=(\w+):/gm)].reduce(
    (text, [, secret]) => text.replaceAll(`\${env:${secret}}`, `\${dir:${CREDENTIALS}:${secret}}`),
    config,
  )
}

/** Writes a file of packaging/ with a value for each @NAME@. A script can be started. */
function writeFilled(file, path, values = {}) {
  const all = { VERSION: version, PROCESSOR: process.arch, LIBC: libc, ...values }
  const text = readFileSync(join(project, 'packaging', file), 'utf8').replace(
    /@(\w+)@/g,
    (_, key) => all[key],
  )
  writeFileSync(path, text)
  chmodSync(path, text.startsWith('#!') ? 0o755 : 0o644)
}

function librariesOf(file) {
  const { stdout } = spawnSync('ldd', [file], { encoding: 'utf8' })
  return [...stdout.matchAll(/^\s*(\S+) => (\/\S+)/gm)]
    .filter(([, library]) => !OF_THE_SYSTEM.test(library))
    .map(([, , path]) => path)
}

async function makeTarball() {
  const tarball = join(output, `${name}.tar.gz`)
  // The same bytes for the same files, on every machine and at any time.
  const owner = ['--owner=0', '--group=0', '--numeric-owner', `--mode=${MODES}`]
  const reproducible = ['--sort=name', '--mtime=@0', ...owner]
  const compress = ['--use-compress-program', 'gzip -9 -n']
  await step('Making the tarball', ['tar', ...reproducible, ...compress, '-cf', tarball, '-C', output, name])
  report(tarball)
  if (statSync(tarball).size > LIMIT)
    throw new SetupError(`${tarball} is over the limit of ${LIMIT / MiB} MiB`)
}

async function makeDebianPackage() {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch]
  const root = join(output, 'deb')
  rmSync(root, { recursive: true, force: true })
  for (const path of ['DEBIAN', 'opt/headgate', 'usr/bin', 'lib/systemd/system', 'usr/share/doc/headgate'])
    mkdirSync(join(root, path), { recursive: true })
  for (const path of ['bin', 'app']) renameSync(join(folder, path), join(root, 'opt/headgate', path))
  symlinkSync('/opt/headgate/bin/headgate', join(root, 'usr/bin/headgate'))
  cpSync(join(folder, 'systemd'), join(root, 'lib/systemd/system'), { recursive: true })
  cpSync(join(folder, 'config'), join(root, 'etc/headgate'), { recursive: true })
  cpSync(join(folder, 'share'), join(root, 'usr/share'), { recursive: true })
  renameSync(join(root, 'usr/share/zsh', ZSH_FUNCTIONS), join(root, 'usr/share/zsh/vendor-completions'))
  cpSync(join(project, 'LICENSE'), join(root, 'usr/share/doc/headgate/copyright'))
  spawnSync('chmod', ['-R', MODES, root], { stdio: 'inherit' })
  mkdirSync(join(root, 'etc/headgate/credentials'))
  chmodSync(join(root, 'etc/headgate/credentials'), 0o700)

  // Everything in /etc: an upgrade keeps it as its administrator has it.
  const config = readdirSync(join(root, 'etc'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${join(entry.parentPath, entry.name).slice(root.length)}\n`)
  writeFileSync(join(root, 'DEBIAN/conffiles'), config.toSorted().join(''))
  const { stdout } = spawnSync('du', ['-sk', root], { encoding: 'utf8' })
  const size = String(Number.parseInt(stdout, 10))
  for (const file of readdirSync(join(project, 'packaging/deb')))
    writeFilled(`deb/${file}`, join(root, 'DEBIAN', file), {
      ARCHITECTURE: architecture,
      INSTALLED_SIZE: size,
    })
  const deb = join(output, `headgate_${version}_${architecture}.deb`)
  await step('Making the Debian package', ['dpkg-deb', '--root-owner-group', '-Zgzip', '--build', root, deb])
  rmSync(root, { recursive: true })
  report(deb)
}

function report(file) {
  console.log(`${file}: ${(statSync(file).size / MiB).toFixed(1)} MiB`)
}
