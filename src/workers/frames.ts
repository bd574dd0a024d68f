/** A message, and bytes that go with it as they are. */
export interface Framed<Message> {
  readonly message: Message
  readonly parts: readonly Buffer[]
}

/*
 * A frame holds several messages: all that a process has to say in one turn of its event loop. Two lengths (uint32, little
 * endian) of what comes behind them, a JSON array of messages each with the lengths of its parts, then the bytes of all
 * parts. JSON in one go for small texts costs less than a call across the boundary to C++ for each of them; what is large
 * stays bytes.
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
 * Puts messages together again from a stream that was cut anywhere. Parts are slices of what came, unless a frame lies in
 * several pieces.
 */
export function frameReader<Message>(
  onMessage: (message: Message, parts: readonly Buffer[]) => void,
): (piece: Buffer) => void {
  let pieces: Buffer[] = []
  let size = 0
  /** Bytes without which there is nothing to be done. */
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

/** Of the frame that `bytes` begin with; as far as is known. */
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
