import { once } from 'node:events'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'

/** Types of frames (RFC 9113, 6). */
export const DATA = 0x0
export const HEADERS = 0x1
export const PRIORITY = 0x2
export const RST_STREAM = 0x3
export const SETTINGS = 0x4
export const PING = 0x6
export const GOAWAY = 0x7
export const WINDOW_UPDATE = 0x8
export const CONTINUATION = 0x9
/** Flags of frames. */
export const END_STREAM = 0x1
export const ACK = 0x1
export const END_HEADERS = 0x4
export const PADDED = 0x8

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

const HEAD = 9

/** The bytes of a frame. */
export function frame(type: number, flags = 0, stream = 0, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A setting of a SETTINGS frame. */
export const setting = (id: number, value: number): Buffer =>
  Buffer.concat([Buffer.from([0, id]), uint32(value)])

/** Headers as HPACK has them without compression: literal names and values. */
export const headerBlock = (headers: { readonly [name: string]: string }): Buffer =>
  Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [
      Buffer.from([0]),
      ...literal(name),
      ...literal(value),
    ]),
  )

function literal(text: string): Buffer[] {
  const bytes = Buffer.from(text, 'latin1')
  const length = []
  if (bytes.length < 127) length.push(bytes.length)
  else {
    length.push(127)
    let rest = bytes.length - 127
    for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128)
    length.push(rest)
  }
  return [Buffer.from(length), bytes]
}

/** The headers of a POST to /in. */
export const post = (more: { readonly [name: string]: string } = {}): Buffer =>
  headerBlock({ ':method': 'POST', ':scheme': 'https', ':authority': 'localhost', ':path': '/in', ...more })

/** A connection for frames that no client would send. Acknowledges the settings of the other side. */
export interface RawHttp2 {
  readonly frames: readonly Frame[]
  send(...frames: readonly Buffer[]): void
  /** Sends the same bytes again and again until the other side has closed the connection. Resolves with their sum. */
  flood(next: () => Buffer): Promise<number>
  /** Resolves when the other side has read everything that was sent. */
  arrived(): Promise<void>
  /** All received frames, once `enough` is true of them. Rejects if the connection is closed before that. */
  until(enough: (frames: readonly Frame[]) => boolean): Promise<readonly Frame[]>
  /** All received frames, once the other side has closed the connection. */
  closed(): Promise<readonly Frame[]>
  /** Ends our side. */
  end(): void
  /** Stops reading from the other side. */
  pause(): void
}

export async function rawHttp2(
  port: number,
  tls: ConnectionOptions,
  { acknowledges = true, settings = Buffer.alloc(0) }: { acknowledges?: boolean; settings?: Buffer } = {},
): Promise<RawHttp2> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ALPNProtocols: ['h2'], ...tls })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  const frames: Frame[] = []
  const onFrame = (received: Frame) => {
    frames.push(received)
    if (acknowledges && received.type === SETTINGS && (received.flags & ACK) === 0)
      socket.write(frame(SETTINGS, ACK))
  }
  readFrames(socket, onFrame)
  // A reset is a way of closing.
  socket.on('error', () => {})
  const closed = new Promise<readonly Frame[]>((resolve) => socket.on('close', () => resolve(frames)))
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(frame(SETTINGS, 0, 0, settings))
  const until: RawHttp2['until'] = (enough) =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (!enough(frames)) return
        socket.off('data', look)
        resolve(frames)
      }
      socket.on('data', look)
      closed.then(() => reject(new Error(`closed after ${frames.length} frames`)))
      look()
    })
  let pings = 0
  return {
    frames,
    until,
    send: (...sent) => void socket.write(Buffer.concat(sent)),
    flood: (next) => flood(socket, next),
    async arrived() {
      const ping = Buffer.concat([uint32(0), uint32(++pings)])
      socket.write(frame(PING, 0, 0, ping))
      await until((all) => all.some(({ type, payload }) => type === PING && payload.equals(ping)))
    },
    closed: () => closed,
    end: () => void socket.end(),
    pause: () => void socket.pause(),
  }
}

function readFrames(socket: TLSSocket, onFrame: (frame: Frame) => void): void {
  let bytes: Buffer = Buffer.alloc(0)
  socket.on('data', (piece: Buffer) => {
    bytes = Buffer.concat([bytes, piece])
    while (bytes.length >= HEAD) {
      const end = HEAD + bytes.readUIntBE(0, 3)
      if (bytes.length < end) return
      onFrame({
        type: bytes.readUInt8(3),
        flags: bytes.readUInt8(4),
        stream: bytes.readUInt32BE(5),
        payload: bytes.subarray(HEAD, end),
      })
      bytes = bytes.subarray(end)
    }
  })
}

async function flood(socket: TLSSocket, next: () => Buffer): Promise<number> {
  let sent = 0
  const closed = new Promise((resolve) => socket.once('close', resolve))
  while (!socket.destroyed) {
    const bytes = next()
    sent += bytes.length
    const written = new Promise<void>((resolve) => socket.write(bytes, () => resolve()))
    await Promise.race([written, closed])
  }
  return sent
}

/** The error code of the last GOAWAY; undefined if there was none. */
export const goaway = (frames: readonly Frame[]): number | undefined =>
  frames.findLast(({ type }) => type === GOAWAY)?.payload.readUInt32BE(4)

/** The error codes of the streams that were reset. */
export const resets = (frames: readonly Frame[]): number[] =>
  frames.filter(({ type }) => type === RST_STREAM).map(({ payload }) => payload.readUInt32BE(0))
