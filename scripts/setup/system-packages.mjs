// Programs and libraries of the machine, from the packages of Debian and Ubuntu.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { SetupError, step, twice } from './step.mjs'

const program = (name) => () =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)))
const file = (path) => () => existsSync(path)
const isUbuntu = existsSync('/etc/os-release') && /^ID=ubuntu$/m.test(readFileSync('/etc/os-release', 'utf8'))

/** Each tool, how its presence is seen, and the package that has it. */
export const FOR_COMPILATION = [
  { package: 'python3', isPresent: program('python3') },
  { package: 'make', isPresent: program('make') },
  { package: 'g++', isPresent: program('g++') },
  { package: 'libssl-dev', isPresent: file('/usr/include/openssl/ssl.h') },
  { package: 'zlib1g-dev', isPresent: file('/usr/include/zlib.h') },
  { package: 'libzstd-dev', isPresent: file('/usr/include/zstd.h') },
].map((need) => ({ ...need, purpose: 'to compile the Kafka client, librdkafka' }))

export const FOR_TESTS = [
  ['default-jre-headless', program('java'), 'to run a real Apache Kafka'],
  ['maven', program('mvn'), 'to fetch Apache Kafka'],
  ['prometheus', program('prometheus'), 'to test the alerts'],
  ['golang-go', program('go'), 'to read the published tests of RE2, and to build Helm'],
  ['python3-pip', program('pip3'), 'to fetch the published tests of JSON Schema'],
  ['faketime', program('faketime'), 'to move the clock of a process'],
  ['openssl', program('openssl'), 'to make certificates'],
  [isUbuntu ? 'chromium-browser' : 'chromium', program('chromium'), 'to test the console'],
  ['curl', program('curl'), 'to run the commands of the pages'],
  ['zsh', program('zsh'), 'to test its completion'],
  ['fish', program('fish'), 'to test its completion'],
  ['debootstrap', file('/usr/sbin/debootstrap'), 'to try the Debian package and the image'],
  ['debian-archive-keyring', file('/usr/share/keyrings/debian-archive-keyring.gpg'), 'for debootstrap'],
  ['binutils', program('strip'), 'to make packages small'],
  ['git', program('git'), 'to read the history'],
  ['ca-certificates', file('/etc/ssl/certs/ca-certificates.crt'), 'to check the certificates of registries'],
].map(([name, isPresent, purpose]) => ({ package: name, isPresent, purpose }))

/** Where dpkg notes the changes that it has not completed. */
const UPDATES = '/var/lib/dpkg/updates'

/** Installs those that are missing. Asks first, except in CI: the machine is not Headgate's. */
export async function installSystemPackages(needs) {
  const missing = needs.filter(({ isPresent }) => !isPresent())
  if (missing.length === 0) return
  const names = missing.map(({ package: name }) => name)
  const list = missing.map(({ package: name, purpose }) => `  ${name.padEnd(22)}${purpose}`).join('\n')
  console.error(`This machine lacks packages that Headgate needs:\n${list}`)
  if (!program('apt-get')())
    throw new SetupError(
      'There is no apt-get here. Install them with the package manager of this machine, and start again.',
    )
  const isRoot = process.getuid?.() === 0
  const command = `apt-get install -y --no-install-recommends ${names.join(' ')}`
  if (!isRoot && !program('sudo')())
    throw new SetupError(
      `There is no sudo here, so nothing was installed. Run this as root, and start again:\n\n  ${command}\n`,
    )
  if (!process.env['CI']) await ask(isRoot ? command : `sudo ${command}`)
  // Its question for a password would be lost among the progress.
  if (!isRoot && spawnSync('sudo', ['-v'], { stdio: 'inherit' }).status !== 0)
    throw new SetupError(
      `sudo has refused, so nothing was installed. Run this, and start again:\n\n  sudo ${command}\n`,
    )
  const asRoot = [...(isRoot ? [] : ['sudo']), 'env', 'DEBIAN_FRONTEND=noninteractive']
  // apt-get refuses everything until an installation that somebody has interrupted is complete.
  if (existsSync(UPDATES) && readdirSync(UPDATES).length > 0)
    await step('Completing an interrupted installation', [...asRoot, 'dpkg', '--configure', '-a'])
  await twice('Reading the package lists', [...asRoot, 'apt-get', 'update'])
  await twice(`Installing ${names.join(', ')}`, [...asRoot, ...command.split(' ')])
}

async function ask(command) {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new SetupError(
      `Nobody can be asked here, so nothing was installed. Run this, and start again:\n\n  ${command}\n`,
    )
  // Not in raw mode, in which Ctrl-C is a key and no signal.
  const terminal = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  const end = once(terminal, 'close').then(() => '')
  const answer = await Promise.race([terminal.question(`Run "${command}" now? [y/N] `), end])
  terminal.close()
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new SetupError('Nothing was installed. Run the command yourself, and start again.')
}
