import type { AddressInfo, Server } from 'node:net'
import { HeadgateError } from '../errors.js'
import { isLoopback } from './loopback.js'

/** Where a server is to listen. */
export interface ListenAt {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** The descriptor of a socket that listens already, in place of host and port. */
  readonly descriptor?: number | undefined
}

/**
 * Resolves with the address that the server listens on. Rejects with HG_LISTEN_FAILED where it cannot, and where a passed
 * socket reaches strangers while `host`, by which the config has been checked, says loopback. `setting` is the variable that
 * `host` comes from.
 */
export async function listen(server: Server, at: ListenAt, setting: string): Promise<AddressInfo> {
  const { host, port, descriptor } = at
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: Error) => reject(cannotListen(at, cause.message, cause))
    server.once('error', failed)
    server.listen(descriptor === undefined ? { host, port } : { fd: descriptor }, () => {
      server.off('error', failed)
      resolve()
    })
  })
  const address = server.address()
  if (address === null || typeof address === 'string') {
    server.close()
    throw cannotListen(at, 'it is no TCP socket')
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

function cannotListen({ host, port, descriptor }: ListenAt, why: string, cause?: Error): HeadgateError {
  const where =
    descriptor === undefined
      ? `${host}:${port}`
      : `the socket that was passed as file descriptor ${descriptor}`
  return new HeadgateError('HG_LISTEN_FAILED', `Cannot listen on ${where}: ${why}.`, { cause })
}
