import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net'
import { HeadgateError } from '../contract/errors.js'
import { isLoopback } from '../lib/loopback.js'

/** The address that a server listens on. */
export interface ListenAt {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** The descriptor of a socket that listens already, in place of host and port. */
  readonly descriptor?: number | undefined
  /** Other processes of the same user may listen at the same address (SO_REUSEPORT), and the system gives each a share. */
  readonly reusePort?: boolean | undefined
}

/**
 * Resolves with the address that the server listens on. Rejects with HG_LISTEN_FAILED if it cannot, and if strangers can reach
 * a passed socket although `host`, which the config was checked against, is loopback. `setting` is the variable that `host`
 * comes from.
 */
export async function listen(server: Server, at: ListenAt, setting: string): Promise<AddressInfo> {
  const { host, port, descriptor, reusePort } = at
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: Error) => reject(cannotListen(at, reasonOf(cause, reusePort), cause))
    server.once('error', failed)
    server.listen(descriptor === undefined ? addressOf(host, port, reusePort) : { fd: descriptor }, () => {
      server.off('error', failed)
      resolve()
    })
  })
  const address = server.address()
  if (address === null || typeof address === 'string') {
    server.close()
    throw cannotListen(at, 'it is not a TCP socket')
  }
  if (descriptor !== undefined && isLoopback(host) && !isLoopback(address.address)) {
    server.close()
    throw cannotListen(
      at,
      `it listens on ${address.address}, which others can reach, and ${setting} is ${host}; set ${setting}=${address.address}`,
    )
  }
  return address
}

/** `reusePort` is newer than the oldest Node.js that runs Headgate, and so than its types. */
const addressOf = (host: string, port: number, reusePort = false): ListenOptions & { reusePort?: boolean } =>
  reusePort ? { host, port, reusePort } : { host, port }

function reasonOf({ code, message }: NodeJS.ErrnoException, reusePort = false): string {
  switch (code) {
    case 'EADDRINUSE':
      return reusePort
        ? 'the port is in use by a process that does not share it (one that was started without HEADGATE_TAKEOVER, or by another user); stop that one first'
        : 'the port is in use by another process'
    case 'EACCES':
      return 'ports below 1024 need a right that this user does not have'
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address'
    case 'ENOTFOUND':
      return 'there is no host of this name'
    default:
      return message
  }
}

/**
 * Rejects with HG_LISTEN_FAILED if any process listens at the address. Servers that share an address would not notice an
 * unrelated one, and each would get some of the connections.
 */
export async function requireUnused(at: ListenAt, setting: string): Promise<void> {
  const server = createServer()
  await listen(server, { ...at, reusePort: false }, setting)
  await new Promise((resolve) => server.close(resolve))
}

/** Milliseconds. Longer ticks of the event loop do other work, and connections arrive meanwhile. */
const SHORT_TICK = 0.5
const MAX_TICKS = 500

/**
 * Calls `close` when no connection waits to be accepted. The system resets those that wait when a listening socket is
 * closed, unless net.ipv4.tcp_migrate_req gives them to another socket at the same address. libuv accepts one connection in
 * a tick of the event loop.
 */
export function whenAccepted(server: Server, close: () => void): void {
  let accepted = true
  let ticks = 0
  let began = 0
  const note = () => {
    accepted = true
  }
  const tick = () => {
    const now = performance.now()
    if ((accepted || now - began > SHORT_TICK) && ++ticks < MAX_TICKS) {
      accepted = false
      began = now
      setImmediate(tick)
      return
    }
    server.off('connection', note)
    close()
  }
  server.on('connection', note)
  // Not at once: this tick may have polled for connections some time ago.
  setImmediate(tick)
}

function cannotListen({ host, port, descriptor }: ListenAt, why: string, cause?: Error): HeadgateError {
  const where =
    descriptor === undefined
      ? `${host}:${port}`
      : `the socket that was passed as file descriptor ${descriptor}`
  return new HeadgateError('HG_LISTEN_FAILED', `Cannot listen on ${where}: ${why}.`, { cause })
}
