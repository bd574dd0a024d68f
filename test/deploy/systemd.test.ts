import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EXIT } from '../../src/commands/command.js'
import { milliseconds } from '../../src/lib/units.js'
import { listeningSockets } from '../../src/process/service-manager.js'
import { SETTINGS } from '../../src/process/settings.js'
import { temporaryDirectory } from '../helpers/context.js'
import { installed, outputOf, read } from './read-deploy.js'

const UNIT = 'deploy/systemd/headgate.service'
const unit = read(UNIT)

/** Every value of a setting of the unit. */
const all = (name: string): string[] =>
  [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => String(value))

const analyze = installed('systemd-analyze', '--version')

test.skipIf(analyze === undefined)('systemd understands the unit', () => {
  // It asks for the programs too, and Headgate is not where it is on the machine that the unit is for.
  const here = temporaryDirectory({
    'headgate.service': unit.replaceAll('/opt/headgate/bin/headgate', process.execPath),
    'headgate.socket': read('deploy/systemd/headgate.socket'),
  })
  expect(outputOf('systemd-analyze', ['verify', join(here, 'headgate.service')])).toBe('')
  expect(outputOf('systemd-analyze', ['verify', join(here, 'headgate.socket')])).toBe('')
})

test('systemd does not start it again where that cannot help', () => {
  expect(all('RestartPreventExitStatus')).toEqual([`${EXIT.usage} ${EXIT.config}`])
})

test('systemd listens where Headgate would, and passes the socket by the name that Headgate knows', () => {
  const socket = read('deploy/systemd/headgate.socket')
  expect(socket).toContain(`ListenStream=${SETTINGS.host.default}:${SETTINGS.port.default}\n`)
  const [, name = ''] = /^FileDescriptorName=(.*)$/m.exec(socket) ?? []
  expect(listeningSockets({ LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: name }, 1)).toEqual({
    intake: 3,
  })
})

test('systemd waits longer for the stop than Headgate takes', () => {
  const timeout = all('Environment').find((value) => value.startsWith('HEADGATE_SHUTDOWN_TIMEOUT='))
  expect(Number(all('TimeoutStopSec')[0]) * 1000).toBeGreaterThan(
    milliseconds(String(timeout?.split('=')[1])),
  )
})

test('the state directory is the one that systemd makes', () => {
  expect(all('Environment')).toContain(`HEADGATE_STATE_DIR=/var/lib/${all('StateDirectory')[0]}`)
})

test('what starts, checks and reloads it are commands of Headgate and its signal', () => {
  expect(all('ExecStart').map((line) => line.split(' ').at(-1))).toEqual(['run'])
  expect(all('ExecReload')).toEqual(['/bin/kill -HUP $MAINPID'])
})

test('the credentials of the unit and the addresses of the example are what the shipped config refers to', () => {
  const names = [...read('plugins.config.json').matchAll(/\$\{env:([A-Z_]+)\}/g)].map(([, name]) =>
    String(name),
  )
  const credentials = all('LoadCredential').map((value) => String(value.split(':')[0]))
  const addresses = [...read('deploy/systemd/headgate.env.example').matchAll(/^([A-Z_]+)=/gm)].map(
    ([, name]) => String(name),
  )
  expect(names.filter((name) => !credentials.includes(name) && !addresses.includes(name))).toEqual([])
  expect(credentials.filter((name) => !names.includes(name) || addresses.includes(name))).toEqual([])
})
