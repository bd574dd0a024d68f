import type { Duplex } from 'node:stream'
import { encodeFrame, type Framed, frameReader } from './frames.js'

/** The place of the channel among the files that a worker is started with. */
export const CHANNEL_FD = 4

/** One end of what a worker and the primary process say to each other. */
export interface Channel<Sent, Received> {
  /** At the end of this turn of the event loop, with everything else that is sent in it. */
  send(message: Sent, parts?: readonly Buffer[]): void
  /** The same for what nobody waits for: with what else is sent, or after a millisecond. */
  sendSoon(message: Sent): void
  /** Before it no message is taken. */
  onMessage(take: (message: Received, parts: readonly Buffer[]) => void): void
  /** Called once, when the other process is gone or has closed its end. */
  onClosed(closed: () => void): void
  /** Sends what was to be sent, and closes; resolves when the other process has taken it all or is gone. */
  close(): Promise<void>
}

/** A frame is sent as soon as it has so many bytes, so that the other side need not put large ones together. */
const FRAME_BYTES = 64 * 1024
/** Milliseconds. Under load something else is sent sooner, and each write that is saved here is a read that is saved there. */
const SOON = 1

/** How much may wait to be sent is bounded by the events in flight, which both processes count. */
export function createChannel<Sent, Received>(stream: Duplex): Channel<Sent, Received> {
  let waiting: Framed<Sent>[] = []
  let bytes = 0
  let scheduled = false
  let soon = false

  const flush = (): void => {
    scheduled = false
    if (waiting.length === 0) return
    if (!stream.destroyed) stream.write(encodeFrame(waiting))
    waiting = []
    bytes = 0
  }
  const flushSoon = (): void => {
    soon = false
    flush()
  }
  // The other process is gone: that it cannot be written to, and reset the connection, says `close`.
  stream.on('error', () => {})
  const closed = new Promise<void>((resolve) => stream.once('close', resolve))
  stream.once('end', () => stream.destroy())
  return {
    send(message, parts = []) {
      waiting.push({ message, parts })
      for (const part of parts) bytes += part.length
      if (bytes >= FRAME_BYTES) flush()
      else if (!scheduled) {
        scheduled = true
        setImmediate(flush)
      }
    },
    sendSoon(message) {
      waiting.push({ message, parts: [] })
      if (soon) return
      soon = true
      setTimeout(flushSoon, SOON)
    },
    onMessage(take) {
      stream.on('data', frameReader(take))
    },
    onClosed: (then) => void closed.then(then),
    close() {
      flush()
      stream.end()
      return closed
    },
  }
}
