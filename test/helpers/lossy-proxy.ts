import { startTcpProxy } from './tcp-proxy.js'

/** A TCP proxy between a Kafka client and its broker. */
export interface LossyProxy {
  /** From now on, loses the response to the first produce request, and the second request entirely. */
  lose(): void
  /** Resolves when so many produce requests have arrived since. */
  produced(count: number): Promise<void>
  /** Resolves when the broker has responded to the one after those. */
  readonly answered: Promise<void>
  /** Cuts all connections; from then on nothing is lost. */
  cut(): void
  close(): void
}

const PRODUCE = 0

/** Listens on `port` and passes on to `target`, another port of loopback. */
export async function startLossyProxy(port: number, target: number): Promise<LossyProxy> {
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

  const proxy = await startTcpProxy(port, target, (client, broker) => {
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
  })
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
    cut() {
      whole = true
      proxy.cut()
    },
    close: proxy.close,
  }
}

/** Kafka's frames, each preceded by its length. */
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
