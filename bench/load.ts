/**
 * The load generator: so many events in flight, each on a connection of its own, as fast as they are answered. It
 * must not be the bottleneck, so it writes prepared bytes to sockets and reads no more of an answer than it has to.
 * Started by `generator.ts`, which sends a `LoadOrder` and gets a `LoadResult`.
 */
import { connect, type Socket } from 'node:net'
import { WEBHOOK_PATH } from '../src/sandbox/routes.js'

export interface LoadOrder {
  readonly port: number
  readonly token: string
  /** Makes the ids of this order unlike those of all others; one word. */
  readonly name: string
  readonly seconds: number
  readonly inFlight: number
  readonly bodyBytes: number
}

export interface LoadResult {
  readonly delivered: number
  /** Answers other than 200, by status. */
  readonly refused: { readonly [status: string]: number }
  /** From the first request to the last answer. */
  readonly seconds: number
  /** Milliseconds from request to answer. */
  readonly p50: number
  readonly p99: number
  /** CPU seconds of the generator. */
  readonly cpu: number
}

const PAUSE_AFTER_REFUSAL = 20
const ID_DIGITS = 10
/** A third of the events for each rule. */
const PAYLOADS = [
  '"priority":"high","region":"us-east"',
  '"priority":"low","region":"eu-west"',
  '"priority":"low","region":"us-east"',
]

process.once('message', (order: LoadOrder) => {
  load(order).then((result) => process.send?.(result))
})
process.on('disconnect', () => process.exit())

async function load(order: LoadOrder): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: order.inFlight }, () => open(order.port)))
  const latencies: number[] = []
  const refused: { [status: string]: number } = {}
  const cpu = process.cpuUsage()
  const start = performance.now()
  const end = start + order.seconds * 1000
  let sent = 0

  async function keepSending(socket: Socket, index: number): Promise<void> {
    const requests = PAYLOADS.map((payload) => prepare(order, payload))
    for (let turn = index; performance.now() < end; turn++) {
      const request = requests[turn % requests.length]
      if (request === undefined) return
      request.bytes.write(String(sent++).padStart(ID_DIGITS, '0'), request.idAt, 'latin1')
      const before = performance.now()
      const status = await exchange(socket, request.bytes)
      if (status === '200') latencies.push(performance.now() - before)
      else {
        refused[status] = (refused[status] ?? 0) + 1
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_REFUSAL))
      }
    }
  }

  await Promise.all(sockets.map(keepSending))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  for (const socket of sockets) socket.destroy()
  const sorted = Float64Array.from(latencies).sort()
  const quantile = (q: number) => sorted[Math.floor(sorted.length * q)] ?? Number.NaN
  const delivered = latencies.length
  return { delivered, refused, seconds, p50: quantile(0.5), p99: quantile(0.99), cpu: (user + system) / 1e6 }
}

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket)).once(
      'error',
      reject,
    )
  })

/** A whole request, and where the changing part of its id stands. */
function prepare({ name, token, port, bodyBytes }: LoadOrder, payload: string) {
  const id = `${name}-${'0'.repeat(ID_DIGITS)}`
  const before = `{"dataActionId":"${id}","eventType":"DataActionExecuted","timestamp":"2025-06-01T08:00:00.000Z","payload":{${payload},"text":"`
  const body = `${before}${'x'.repeat(bodyBytes - before.length - 3)}"}}`
  const head = [
    `POST ${WEBHOOK_PATH} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ]
  const bytes = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1')
  return { bytes, idAt: bytes.indexOf(id) + name.length + 1 }
}

/** Resolves with the status once the answer is complete. Answers have a Content-Length. */
const exchange = (socket: Socket, request: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const headEnd = text.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
      if (text.length < headEnd + 4 + Number(length)) return
      settle(() => resolve(text.slice(9, 12)))
    }
    const lost = () => settle(() => reject(new Error('the connection was closed')))
    const settle = (then: () => void) => {
      socket.off('data', take).off('close', lost)
      then()
    }
    socket.on('data', take).on('close', lost)
    socket.write(request)
  })
