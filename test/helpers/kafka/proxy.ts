import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { deferred } from '../deferred.js'

type Loss = 'nothing' | 'responses' | 'produce requests'

const PRODUCE = 0
const FIND_COORDINATOR = 10
/** The request that commits or aborts a transaction. */
export const END_TXN = 26
const NOT_COORDINATOR = 16
const GROUP = 0

/** A TCP proxy on loopback between a Kafka client and its broker, which can lose what they send. */
export class KafkaProxy {
  readonly port: number
  /** Resolves when the broker has responded to the produce request after the two lost ones. */
  readonly responded: Promise<void>
  readonly #target: number
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()
  readonly #waiting: { readonly count: number; resolve(): void }[] = []
  readonly #responded = deferred<void>()
  #loss: Loss = 'nothing'
  #lost: { readonly what: 'requests' | 'responses'; readonly apiKey: number; resolve(): void } | undefined
  #onHidden: (() => void) | undefined
  /** Correlation ids of the produce requests that arrived since `loseProduceRequests`. */
  readonly #produced: number[] = []

  private constructor(port: number, target: number) {
    this.port = port
    this.#target = target
    this.#listener = createServer((client) => this.#join(client))
    this.responded = this.#responded.promise
  }

  /** Listens on `port`, and opens a connection to `target`, another port of loopback, for each accepted one. */
  static async start(port: number, target: number): Promise<KafkaProxy> {
    const proxy = new KafkaProxy(port, target)
    proxy.#listener.listen(port, '127.0.0.1')
    await once(proxy.#listener, 'listening')
    return proxy
  }

  /** From now on, requests reach the broker, and its responses are lost. */
  loseResponses(): void {
    this.#loss = 'responses'
  }

  /** From now on, loses the response to the first produce request, and the second request entirely. */
  loseProduceRequests(): void {
    this.#loss = 'produce requests'
  }

  /** Resolves when so many produce requests have arrived since `loseProduceRequests`. */
  produced(count: number): Promise<void> {
    if (this.#produced.length >= count) return Promise.resolve()
    return new Promise((resolve) => void this.#waiting.push({ count, resolve }))
  }

  /**
   * From now on, loses requests with this API key, or lets them reach the broker and loses their responses. Resolves when the
   * first of them is lost.
   */
  lose(what: 'requests' | 'responses', apiKey: number): Promise<void> {
    const { promise, resolve } = deferred<void>()
    this.#lost = { what, apiKey, resolve }
    return promise
  }

  /**
   * From now on, no coordinator of a group can be found: responses to FindCoordinator (version 1 or 2) have the error
   * NOT_COORDINATOR. Resolves with the first.
   */
  hideGroups(): Promise<void> {
    const { promise, resolve } = deferred<void>()
    this.#onHidden = resolve
    return promise
  }

  /** Cuts all connections, so that no partial response is left; new ones lose nothing. */
  heal(): void {
    this.#loss = 'nothing'
    this.#lost = undefined
    this.#onHidden = undefined
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.#listener.close()
    this.heal()
  }

  #join(client: Socket): void {
    const broker = connect({ host: '127.0.0.1', port: this.#target })
    for (const socket of [client, broker]) {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      // A reset is one way of closing; the other side hears of it below.
      socket.on('error', () => {})
    }
    /** Correlation ids of requests whose responses are lost. */
    const unanswered = new Set<number>()
    const hidden = new Set<number>()
    const onRequest = framesOf((frame) => {
      if (this.#hides(frame)) hidden.add(frame.readInt32BE(8))
      const lost = this.#lost?.apiKey === frame.readInt16BE(4) ? this.#lost : undefined
      if (lost?.what === 'responses') unanswered.add(frame.readInt32BE(8))
      if (lost?.what === 'requests') lost.resolve()
      else if (this.#keepsRequest(frame)) broker.write(frame)
    })
    const onResponse = framesOf((frame) => {
      if (unanswered.delete(frame.readInt32BE(4))) {
        this.#lost?.resolve()
        return
      }
      if (!this.#keepsResponse(frame)) return
      if (hidden.delete(frame.readInt32BE(4))) {
        // Behind the length, the correlation id and the throttle time.
        frame.writeInt16BE(NOT_COORDINATOR, 12)
        this.#onHidden?.()
      }
      client.write(frame, () => {
        if (frame.readInt32BE(4) === this.#produced[2]) this.#responded.resolve()
      })
    })
    client.on('data', onRequest)
    broker.on('data', onResponse)
    client.on('close', () => broker.destroy())
    broker.on('close', () => client.destroy())
  }

  #hides(request: Buffer): boolean {
    if (this.#onHidden === undefined || request.readInt16BE(4) !== FIND_COORDINATOR) return false
    const version = request.readInt16BE(6)
    // The type of the coordinator comes last. Without that of transactions, calls would fail by their timeouts.
    return (version === 1 || version === 2) && request.at(-1) === GROUP
  }

  #keepsRequest(frame: Buffer): boolean {
    if (this.#loss !== 'produce requests' || frame.readInt16BE(4) !== PRODUCE) return true
    const count = this.#produced.push(frame.readInt32BE(8))
    for (const waiting of this.#waiting) if (count >= waiting.count) waiting.resolve()
    return count !== 2
  }

  #keepsResponse(frame: Buffer): boolean {
    if (this.#loss === 'produce requests') return frame.readInt32BE(4) !== this.#produced[0]
    return this.#loss === 'nothing'
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
