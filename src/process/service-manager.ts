import { execFile } from 'node:child_process'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'

/** File descriptors of listening sockets, which the program that started this process has opened. */
export interface ListeningSockets {
  readonly intake?: number
  readonly admin?: number
}

type Environment = Readonly<{ [name: string]: string | undefined }>

/** The first descriptor that systemd passes (sd_listen_fds(3), SD_LISTEN_FDS_START). */
const FIRST = 3
const NAMES = ['intake', 'admin'] as const

/**
 * The sockets that systemd, or another program with its protocol (sd_listen_fds(3)), has passed to this process: LISTEN_FDS
 * sockets for the process LISTEN_PID, with the names `intake` and `admin` in LISTEN_FDNAMES, or in this order if they have other
 * names. Throws HG_LISTEN_FAILED if they cannot be used.
 */
export function listeningSockets(environment: Environment, pid: number): ListeningSockets {
  const { LISTEN_PID: forPid, LISTEN_FDS: count, LISTEN_FDNAMES: named } = environment
  if (count === undefined || forPid !== String(pid)) return {}
  if (!/^[12]$/.test(count)) throw refused(`LISTEN_FDS is ${JSON.stringify(count)}`)
  const names = NAMES.slice(0, Number(count))
  const socketNames = named?.split(':') ?? []
  // Without FileDescriptorName=, systemd names a socket after its unit.
  const isNamed = socketNames.some((name) => (NAMES as readonly string[]).includes(name))
  if (!isNamed) return Object.fromEntries(names.map((name, index) => [name, FIRST + index]))
  if (socketNames.length !== names.length || new Set(socketNames).size !== socketNames.length)
    throw refused(`LISTEN_FDNAMES is ${JSON.stringify(named)} and LISTEN_FDS ${count}`)
  const unknown = socketNames.find((name) => !(NAMES as readonly string[]).includes(name))
  if (unknown !== undefined) throw refused(`one is named ${JSON.stringify(unknown)}`)
  return Object.fromEntries(socketNames.map((name, index) => [name, FIRST + index]))
}

const refused = (found: string): HeadgateError =>
  new HeadgateError(
    'HG_LISTEN_FAILED',
    `Cannot use the sockets that were passed to the process: expected one named "intake" and at most one named "admin" (FileDescriptorName= of the socket unit); ${found}.`,
  )

/** Throws HG_LISTEN_FAILED if the sockets from the service manager cannot be combined with the other settings. */
export function requireCompatible(
  { intake, admin }: ListeningSockets,
  { workers, takeover }: { readonly workers: number; readonly takeover: boolean },
): void {
  if (workers > 0 && intake !== undefined) {
    // node:cluster closes a passed socket with the last worker that uses it, and it cannot be opened again.
    throw new HeadgateError(
      'HG_LISTEN_FAILED',
      'HEADGATE_WORKERS cannot be combined with a socket that was passed for the intake. Use one of them.',
    )
  }
  if (takeover && (intake ?? admin) !== undefined) {
    throw new HeadgateError(
      'HG_LISTEN_FAILED',
      'HEADGATE_TAKEOVER cannot be combined with a socket that was passed to the process: a passed socket stays open during a restart by itself. Use one of them.',
    )
  }
}

/** Reports the state of the service to systemd (sd_notify(3)), if systemd asks for it. */
export interface ServiceManager {
  /** Headgate accepts events, or will as soon as Kafka does. From now on, notifies the watchdog while the event loop runs. */
  ready(status: string): void
  stopping(): void
}

/** Runs `systemd-notify` with these arguments. */
export type Notify = (assignments: readonly string[], failed: (error: Error) => void) => void

/**
 * Node.js has no Unix datagram sockets, which sd_notify needs, so `systemd-notify`, a part of systemd, sends the messages. It is
 * another process, so the unit has to set NotifyAccess=all.
 */
const systemdNotify: Notify = (assignments, failed) =>
  void execFile('systemd-notify', [...assignments], (error) => {
    if (error !== null) failed(error)
  })

export function serviceManager(
  environment: Environment,
  pid: number,
  log: Log,
  send: Notify = systemdNotify,
): ServiceManager {
  const { NOTIFY_SOCKET: socket } = environment
  if (socket === undefined || socket === '') return { ready() {}, stopping() {} }
  let complained = false
  const notify = (...assignments: string[]): void =>
    send(assignments, (error) => {
      if (complained) return
      complained = true
      log.warn({ reason: error.message }, 'the state of the service could not be reported to systemd')
    })
  return {
    ready(status) {
      notify('READY=1', `STATUS=${status}`)
      const every = watchdogInterval(environment, pid)
      // If the event loop hangs, the notifications stop, and systemd restarts the service.
      if (every !== undefined) setInterval(() => notify('WATCHDOG=1'), every).unref()
    },
    stopping: () => notify('STOPPING=1'),
  }
}

/** Milliseconds: half of the time that systemd allows, as sd_watchdog_enabled(3) recommends. */
function watchdogInterval(
  { WATCHDOG_USEC: allowed, WATCHDOG_PID: forPid }: Environment,
  pid: number,
): number | undefined {
  const microseconds = Number(allowed)
  if (!(microseconds > 0) || (forPid !== undefined && forPid !== String(pid))) return undefined
  return Math.max(1, Math.floor(microseconds / 2000))
}
