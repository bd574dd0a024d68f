import { connect, type Socket } from 'node:net'

export const openConnection = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket)).once(
      'error',
      reject,
    )
  })

/** The port of a connection, by its number. */
export const portOf = (ports: readonly number[], connection: number): number =>
  ports[connection % ports.length] as number

const CLOSED = 'the connection was closed'

/** The part of a response that only a new event gets, not the cheap response to a redelivery. */
const TAKEN = /"outcome":"(?:delivered|accepted)"/g

/** A batch has an outcome as a whole, too. */
const areNew = (text: string, events: number): boolean =>
  text.match(TAKEN)?.length === (events === 1 ? 1 : events + 1)

/**
 * Resolves with the status once the response is complete; a 200 for anything but new events is `200 otherwise`.
 * Responses have a Content-Length. Rejects if the connection is closed first.
 */
export const exchange = (socket: Socket, request: Buffer, events: number): Promise<string> =>
  new Promise((resolve, reject) => {
    // Closed while it was idle: `close` is not emitted again.
    if (socket.destroyed) return reject(new Error(CLOSED))
    let text = ''
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const headEnd = text.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
      if (text.length < headEnd + 4 + Number(length)) return
      const status = text.slice(9, 12)
      settle(() => resolve(status === '200' && !areNew(text, events) ? '200 otherwise' : status))
    }
    const lost = () => settle(() => reject(new Error(CLOSED)))
    const settle = (then: () => void) => {
      socket.off('data', take).off('close', lost)
      then()
    }
    socket.on('data', take).on('close', lost)
    socket.write(request)
  })
