import { connect, type Socket } from 'node:net'
import { HeadgateError } from '../contract/errors.js'

/** The terms on which this process hands its directory over to another one. */
export interface HandOver {
  /** Milliseconds that it takes to stop, at most. */
  readonly within: number
  /** Called once, with the process that asks; it gets the directory when this one has unlocked it. */
  onRequest(pid: number): void
}

/** Another process, which has a directory and agreed to hand it over. */
export interface HandingOver {
  readonly pid: number
  /** Milliseconds that it takes to stop, at most. */
  readonly within: number
  /** Resolves when it has unlocked the directory or has ended. */
  readonly unlocked: Promise<void>
}

/** Bytes of a line. The protocol has two: the request `takeover PID`, and the response `PID MILLISECONDS`. */
const LONGEST_LINE = 64
/** Milliseconds. */
const LINE_WITHIN = 5000
const MOST_CONNECTIONS = 16

/**
 * The connections to the socket of a lock. Most only check that a process listens. One that asks for a takeover gets a response
 * and stays open until the directory is unlocked: so the other process notices that, however this one ends.
 */
export class LockConnections {
  readonly #handOver: HandOver | undefined
  readonly #open = new Set<Socket>()
  #wasAsked = false

  constructor(handOver: HandOver | undefined) {
    this.#handOver = handOver
  }

  take(connection: Socket): void {
    const handOver = this.#handOver
    connection.on('error', () => {})
    if (handOver === undefined || this.#open.size >= MOST_CONNECTIONS) {
      connection.destroy()
      return
    }
    this.#open.add(connection.unref())
    connection.once('close', () => this.#open.delete(connection))
    connection.setTimeout(LINE_WITHIN, () => connection.destroy())
    onLine(connection, (line) => {
      const pid = /^takeover ([0-9]{1,10})$/.exec(line)?.[1]
      if (pid === undefined || this.#wasAsked) {
        connection.destroy()
        return
      }
      this.#wasAsked = true
      connection.setTimeout(0)
      connection.write(`${process.pid} ${Math.ceil(handOver.within)}\n`)
      handOver.onRequest(Number(pid))
    })
  }

  close(): void {
    for (const connection of this.#open) connection.destroy()
  }
}

/**
 * Asks the process that listens at the socket of a lock to stop. Resolves with undefined if there is none; rejects with
 * HG_STATE_LOCKED if it refuses. `path` is the directory, for the message.
 */
export function askToHandOver(socket: string, path: string): Promise<HandingOver | undefined> {
  const connection = connect(socket)
  return new Promise((resolve, reject) => {
    const refuse = (why: string) => {
      connection.destroy()
      reject(
        new HeadgateError('HG_STATE_LOCKED', `Another process uses the state directory ${path}, ${why}.`),
      )
    }
    const unlocked = new Promise<void>((resolveUnlocked) => {
      connection.once('close', () => resolveUnlocked())
    })
    connection.once('error', (error: NodeJS.ErrnoException) => {
      if (isAbsence(error)) resolve(undefined)
      // It has closed the connection without reading from it.
      else if (error.code === 'ECONNRESET' || error.code === 'EPIPE') refuse(NOT_HANDED_OVER)
      else refuse(`and cannot be asked to hand it over (${error.code ?? error.message})`)
    })
    connection.once('close', () => refuse(NOT_HANDED_OVER))
    connection.setTimeout(LINE_WITHIN, () =>
      refuse(`and has not responded within ${LINE_WITHIN / 1000} s when it was asked to hand it over`),
    )
    connection.once('connect', () => connection.write(`takeover ${process.pid}\n`))
    onLine(connection, (line) => {
      const [, pid, within] = /^([0-9]{1,10}) ([0-9]{1,10})$/.exec(line) ?? []
      if (within === undefined) {
        refuse(`and sent a response that is not understood: ${JSON.stringify(line)}`)
        return
      }
      connection.setTimeout(0)
      resolve({ pid: Number(pid), within: Number(within), unlocked })
    })
  })
}

const NOT_HANDED_OVER =
  'and does not hand it over: it was started without HEADGATE_TAKEOVER, or hands it over to another process already'

/** The error of a connection to a socket without a listener. */
export const isAbsence = ({ code = '' }: NodeJS.ErrnoException): boolean =>
  ['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'].includes(code)

/** Calls `use` with the first line that comes, without its end; closes the connection if it is too long. */
function onLine(connection: Socket, use: (line: string) => void): void {
  let received = ''
  const read = (text: string): void => {
    received += text
    const end = received.indexOf('\n')
    if (end < 0 && received.length <= LONGEST_LINE) return
    connection.off('data', read)
    // The rest is read and dropped, so that the end of the connection is noticed.
    connection.resume()
    if (end < 0) connection.destroy()
    else use(received.slice(0, end))
  }
  connection.setEncoding('latin1').on('data', read)
}
