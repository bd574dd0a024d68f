import { connect, type Socket } from 'node:net'

export const openConnection = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket)).once(
      'error',
      reject,
    )
  })

const CLOSED = 'the connection was closed'

/** What an answer says of an event that was not known before, which the cheap answers to all others do not. */
const DELIVERED = '"outcome":"delivered"'

/**
 * Resolves with the status once the answer is complete; a 200 for anything but a delivery is `200 otherwise`. Answers have
 * a Content-Length. Rejects where the connection is closed first.
 */
export const exchange = (socket: Socket, request: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    // Closed while it was idle: it says so no second time.
    if (socket.destroyed) return reject(new Error(CLOSED))
    let text = ''
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const headEnd = text.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
      if (text.length < headEnd + 4 + Number(length)) return
      const status = text.slice(9, 12)
      settle(() => resolve(status === '200' && !text.includes(DELIVERED) ? '200 otherwise' : status))
    }
    const lost = () => settle(() => reject(new Error(CLOSED)))
    const settle = (then: () => void) => {
      socket.off('data', take).off('close', lost)
      then()
    }
    socket.on('data', take).on('close', lost)
    socket.write(request)
  })
