import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy between a Kafka client and its broker. */
export interface LossyProxy {
  /** From now on loses the answer to the first produce request, and the whole of the second. */
  lose(): void
  /** Resolves when so many produce requests have come since. */
  produced(count: number): Promise<void>
  /** Resolves when the broker has answered the one after those. */
  readonly answered: Promise<void>
  /** Cuts all connections; from then on nothing is lost. */
  cut(): void
  close(): void
}

const PRODUCE = 0

/** Listens on `port` and passes on to `target`, another port of loopback. */
export async function startLossyProxy(port: number, target: number): Promise<LossyProxy> {
  const sockets = new Set<Socket>()
  const waiting: { readonly count: number; resolve(): void }[] = []
  let seen = 0
  let whole = true
  let unanswered: number | undefined
  let last: number | undefined
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })

  function passesOn(frame: Buffer): boolean {
    if (whole || frame.readInt16BE(4) !== PRODUCE) return true
    const correlation = frame.readInt32BE(8)
    seen++
    if (seen === 1) unanswered = correlation
    if (seen === 3) last = correlation
    for (const { count, resolve } of waiting) if (seen >= count) resolve()
    return seen !== 2
  }
  const comesBack = (frame: Buffer): boolean => whole || frame.readInt32BE(4) !== unanswered

  const server = createServer((client) => {
    const broker = connect({ host: '127.0.0.1', port: target })
    for (const socket of [client, broker]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      // A reset is one way of closing; the other side hears of it below.
      socket.on('error', () => {})
    }
    client.on(
      'data',
      framesOf((frame) => {
        if (passesOn(frame)) broker.write(frame)
      }),
    )
    broker.on(
      'data',
      framesOf((frame) => {
        if (!comesBack(frame)) return
        client.write(frame, () => {
          if (frame.readInt32BE(4) === last) answer()
        })
      }),
    )
    client.on('close', () => broker.destroy())
    broker.on('close', () => client.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    whole = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    lose() {
      whole = false
    },
    produced: (count) =>
      new Promise((resolve) => {
        if (seen >= count) resolve()
        else waiting.push({ count, resolve })
      }),
    answered,
    cut,
    close() {
      server.close()
      cut()
    },
  }
}

/** Kafka's frames, each with its length in front. */
function framesOf(take: (frame: Buffer) => void): (data: Buffer) => void {
  let rest = Buffer.alloc(0)
  return (data) => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0)
      take(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  }
}
