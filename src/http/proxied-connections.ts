import type { Server, Socket } from 'node:net'
import type { Log } from '../contract/index.js'
import type { Networks } from '../lib/networks.js'
import { onceAMinute } from '../lib/rate.js'
import { Connection } from './connection.js'
import type { ConnectionLimit } from './connection-limit.js'
import { readProxyHeader } from './proxy-protocol.js'

interface ProxyOptions {
  /** The load balancers. */
  readonly networks: Networks
  readonly limit: ConnectionLimit
  /** Milliseconds for the header to arrive. */
  readonly timeout: number
  readonly log: Log
}

/**
 * Reads the PROXY protocol header of the connections that load balancers pass on, before the server reads anything of them. Such a
 * connection without a header is closed: if it were taken for one of the load balancer, its sender would have that address.
 */
export function acceptProxied(server: Server, { networks, limit, timeout, log }: ProxyOptions): void {
  const listeners = server.listeners('connection') as ((socket: Socket) => void)[]
  const serve = (socket: Socket) => {
    for (const listener of listeners) listener.call(server, socket)
  }
  let refused: object = {}
  const sayRefused = onceAMinute((count) =>
    log.warn({ ...refused, count }, 'connections of a load balancer were closed: no valid PROXY header'),
  )
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const connection = Connection.of(socket)
    const { remoteAddress } = connection
    // node:http is given its connection again after a request for another protocol.
    if (connection.isProxied || remoteAddress === undefined || !networks.has(remoteAddress)) {
      serve(socket)
      return
    }
    limit.admit(socket)
    if (socket.destroyed) return
    readHeader(socket, timeout, (header) => {
      if (header.kind === 'complete') {
        connection.proxied(header.address)
        // Not resumed: TLS takes what follows the header from the buffer of the socket a tick later.
        serve(socket)
        return
      }
      refused = { remote_address: remoteAddress, reason: header.reason }
      sayRefused()
      socket.destroy()
    })
  })
}

type Header = Exclude<ReturnType<typeof readProxyHeader>, { kind: 'incomplete' }>

/** Calls `read` once, unless the connection is closed without having sent anything, as the checks of load balancers do. */
function readHeader(socket: Socket, timeout: number, read: (header: Header) => void): void {
  let bytes: Buffer = Buffer.alloc(0)
  const end = (header: Header) => {
    clearTimeout(timer)
    socket.off('readable', onReadable)
    socket.off('end', onEnd)
    if (header.kind === 'complete' && bytes.length > header.length)
      socket.unshift(bytes.subarray(header.length))
    read(header)
    socket.off('error', ignore)
  }
  const onReadable = () => {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) return
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    const header = readProxyHeader(bytes)
    if (header.kind !== 'incomplete') end(header)
  }
  const onEnd = () => {
    if (bytes.length === 0) socket.destroy()
    else end({ kind: 'malformed', reason: 'it is cut short' })
  }
  const timer = setTimeout(() => end({ kind: 'malformed', reason: 'it did not arrive in time' }), timeout)
  socket.on('error', ignore)
  socket.on('readable', onReadable)
  socket.once('end', onEnd)
  socket.once('close', () => clearTimeout(timer))
}

const ignore = (): void => {}
