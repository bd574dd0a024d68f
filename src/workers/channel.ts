import type { Duplex } from 'node:stream'

/** The file descriptor of the channel in a worker. */
export const CHANNEL_FD = 4

/** A frame is sent when it has this many bytes, so that the receiver need not join the pieces of large frames. */
const FRAME_BYTES = 64 * 1024
/** Milliseconds. Under load, another message goes out sooner, and one write less here is one read less in the receiver. */
const LAZY_DELAY = 1

/**
 * One end of the stream between a worker and the primary process. The events in flight, which both processes count, bound
 * how much can wait to be sent.
 */
export class Channel<Sent, Received> {
  readonly #stream: Duplex
  readonly #closed: Promise<void>
  #waiting: Framed<Sent>[] = []
  #bytes = 0
  #isScheduled = false
  #isLazilyScheduled = false

  constructor(stream: Duplex) {
    this.#stream = stream
    // When the other process has ended, a write fails or the connection is reset; `onClosed` reports it.
    stream.on('error', () => {})
    this.#closed = new Promise((resolve) => stream.once('close', resolve))
    stream.once('end', () => stream.destroy())
  }

  /** Flushed at the end of the tick. Bound: can be passed as a function. */
  readonly send = (message: Sent, parts: readonly Buffer[] = []): void => {
    this.#waiting.push({ message, parts })
    for (const part of parts) this.#bytes += part.length
    if (this.#bytes >= FRAME_BYTES) this.#flush()
    else if (!this.#isScheduled) {
      this.#isScheduled = true
      setImmediate(this.#flush)
    }
  }

  /** Low priority: goes out with the next flush, or after 1 ms. Bound: can be passed as a function. */
  readonly sendLazily = (message: Sent): void => {
    this.#waiting.push({ message, parts: [] })
    if (this.#isLazilyScheduled) return
    this.#isLazilyScheduled = true
    setTimeout(this.#flushLazily, LAZY_DELAY)
  }

  /** The other process reads slowly. Bound: can be passed as a function. */
  readonly isFull = (): boolean => this.#stream.writableNeedDrain

  /** Before it is called, no message is read. */
  onMessage(receive: (message: Received, parts: readonly Buffer[]) => void): void {
    this.#stream.on('data', frameReader(receive))
  }

  /** Called once, when the other process has ended or has closed its end. */
  onClosed(closed: () => void): void {
    void this.#closed.then(closed)
  }

  /** Sends waiting messages, and closes; resolves when the other process has read everything or has ended. */
  close(): Promise<void> {
    this.#flush()
    this.#stream.end()
    return this.#closed
  }

  readonly #flush = (): void => {
    this.#isScheduled = false
    if (this.#waiting.length === 0) return
    if (!this.#stream.destroyed) this.#stream.write(encodeFrame(this.#waiting))
    this.#waiting = []
    this.#bytes = 0
  }

  readonly #flushLazily = (): void => {
    this.#isLazilyScheduled = false
    this.#flush()
  }
}

/** A message, and bytes that are sent with it unchanged. */
export interface Framed<Message> {
  readonly message: Message
  readonly parts: readonly Buffer[]
}

/*
 * A frame holds all messages of one tick of the event loop: the lengths (uint32, little endian) of two sections; a JSON array
 * of the messages, each with the lengths of its parts; and the bytes of all parts. One JSON text for small messages costs
 * less than a call across the boundary to C++ for each of them; large bodies stay bytes.
 */
const LENGTHS = 8

/** The bytes of one frame. */
export function encodeFrame(framed: readonly Framed<unknown>[]): Buffer {
  const json = JSON.stringify(framed.map(({ message, parts }) => [message, ...parts.map(byteLength)]))
  const jsonBytes = Buffer.byteLength(json)
  let bytes = 0
  for (const { parts } of framed) for (const part of parts) bytes += part.length
  const frame = Buffer.allocUnsafe(LENGTHS + jsonBytes + bytes)
  frame.writeUInt32LE(jsonBytes, 0)
  frame.writeUInt32LE(bytes, 4)
  frame.write(json, LENGTHS)
  let at = LENGTHS + jsonBytes
  for (const { parts } of framed)
    for (const part of parts) {
      frame.set(part, at)
      at += part.length
    }
  return frame
}

/**
 * Reads messages from a stream that is cut anywhere. Parts are slices of the bytes that came, unless a frame lies in several
 * pieces.
 */
export function frameReader<Message>(
  onMessage: (message: Message, parts: readonly Buffer[]) => void,
): (piece: Buffer) => void {
  let pieces: Buffer[] = []
  let size = 0
  /** Bytes needed before a frame, or its length, can be read. */
  let needed = LENGTHS
  return (piece) => {
    pieces.push(piece)
    size += piece.length
    if (size < needed) return
    let bytes = pieces.length === 1 ? piece : Buffer.concat(pieces, size)
    for (needed = frameLength(bytes); bytes.length >= needed; needed = frameLength(bytes)) {
      readFrame(bytes.subarray(0, needed), onMessage)
      bytes = bytes.subarray(needed)
    }
    pieces = bytes.length === 0 ? [] : [bytes]
    size = bytes.length
  }
}

/** The length of the first frame in `bytes`; before its section lengths have arrived, the length of those. */
const frameLength = (bytes: Buffer): number =>
  bytes.length < LENGTHS ? LENGTHS : LENGTHS + bytes.readUInt32LE(0) + bytes.readUInt32LE(4)

function readFrame<Message>(
  frame: Buffer,
  onMessage: (message: Message, parts: readonly Buffer[]) => void,
): void {
  let at = LENGTHS + frame.readUInt32LE(0)
  const messages = JSON.parse(frame.toString('utf8', LENGTHS, at)) as [Message, ...number[]][]
  for (const [message, ...lengths] of messages) {
    const parts: Buffer[] = []
    for (const length of lengths) {
      parts.push(frame.subarray(at, at + length))
      at += length
    }
    onMessage(message, parts)
  }
}

const byteLength = ({ length }: Buffer): number => length
