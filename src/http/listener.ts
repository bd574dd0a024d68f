import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import type { Networks } from '../lib/networks.js'
import { CountedMemory } from './body.js'
import { Connection } from './connection.js'
import {
  type ConnectionLimit,
  type Descriptors,
  limitConnections,
  readDescriptors,
} from './connection-limit.js'
import { type ExchangeContext, exchange, OpenRequests, type Owner, refuse } from './exchange.js'
import { HeldConnections } from './held-connections.js'
import type { SessionFault } from './http2/session.js'
import { Http2Sessions } from './http2/sessions.js'
import { type ListenAt, listen, whenAccepted } from './listen.js'
import type { Incoming, Outgoing } from './message.js'
import { closeListeningSocket, IncomingRequest, OutgoingResponse } from './node-internals.js'
import { problem } from './problem.js'
import {
  type ClientError,
  declineUpgrades,
  type OnRefusal,
  refuseMalformed,
  tooSlow,
} from './protocol-errors.js'
import { acceptProxied } from './proxied-connections.js'
import { RefusedRequests, refusedBytes } from './refused.js'
import { ReceivedRequest } from './request.js'
import { headError, MAX_HEADERS, pathOf, streamHeadError } from './request-head.js'
import { respondEarly } from './respond.js'
import { Routes, SourcePaths } from './routes.js'
import { createHttpServer, cutStalled, logAcceptErrors, type Secure } from './server.js'
import { TickBudget } from './tick-budget.js'
import { TIMEOUTS, type Timeouts } from './timeouts.js'

export interface ListenerOptions extends ListenAt {
  readonly log: Log
  /** Called with the status of every response that belongs to no pipeline. */
  readonly onResponse: (status: number) => void
  /** At this limit, a new connection replaces an idle one; if none is idle, the new one is closed. */
  readonly maxConnections?: number
  /** Called for each new connection that is closed. */
  readonly onRefused?: () => void
  /** Bytes of bodies that are arriving or in flight. */
  readonly maxBodyMemory?: number
  /** Bytes of request line and headers together. */
  readonly maxHeaderSize?: number
  readonly timeouts?: Partial<Timeouts>
  /** Read when the listener opens: with fewer descriptors, it accepts fewer connections. */
  readonly descriptors?: () => Descriptors | undefined
  /** Speaks HTTPS. */
  readonly secure?: Secure | undefined
  /** Offers HTTP/2 to those who speak HTTPS. */
  readonly http2?: boolean
  /** Called for each connection of HTTP/2 that is closed for a fault of its sender. */
  readonly onHttp2Fault?: (fault: SessionFault) => void
  /** Load balancers that begin each connection with a header of PROXY protocol. */
  readonly proxies?: Networks
  /** How many workers share the address; absent if one process has it to itself. Each has these limits for itself. */
  readonly sharedBy?: number
  /** New connections wait until `release` is called. */
  readonly holds?: boolean
}

export interface Address {
  readonly host: string
  readonly port: number
  readonly url: string
}

const MAX_CONNECTIONS = 1000
const MAX_HEADER_SIZE = 16 * 1024
/** A quarter of the default concurrency of a post-commit stage: each of its connections may rest for a tick or two. */
const EVENTS_A_TICK = 32

/** The HTTP listener that all pipelines share. */
export class Listener {
  readonly refused = new RefusedRequests()
  readonly #options: ListenerOptions
  readonly #timeouts: Timeouts
  readonly #server: Server
  readonly #limit: ConnectionLimit
  readonly #memory: CountedMemory
  readonly #routes: Routes
  readonly #context: ExchangeContext
  /** For requests that belong to no pipeline. */
  readonly #nobody: Owner
  #closed: Promise<void> | undefined
  readonly #onRefusal: OnRefusal
  readonly #http2: Http2Sessions | undefined
  #lingers = false
  #held: HeldConnections | undefined

  constructor(options: ListenerOptions) {
    const { log, onResponse, sharedBy, secure, http2 = true, proxies } = options
    const { maxBodyMemory = 256 * 1024 * 1024 } = options
    this.#options = options
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts }
    this.#memory = new CountedMemory(maxBodyMemory)
    this.#routes = new Routes({ memory: this.#memory, maxBodyMemory, sharedBy })
    this.#nobody = { pipeline: 'none', onResponse }
    this.#context = {
      log,
      requests: new OpenRequests(() => this.#onNoRequests()),
      memory: this.#memory,
      ticks: new TickBudget(EVENTS_A_TICK),
      refused: this.refused,
      closing: () => this.#closed !== undefined,
    }
    this.#limit = limitConnections(options.maxConnections ?? MAX_CONNECTIONS, log, options.onRefused)
    const { server, sockets } = createHttpServer(
      serverOptions(options, this.#timeouts),
      secure,
      this.#limit,
      http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    )
    this.#server = server
    this.#http2 = secure && http2 ? this.#offerHttp2() : undefined
    if (proxies !== undefined)
      acceptProxied(server, { networks: proxies, limit: this.#limit, timeout: this.#timeouts.headers, log })
    // One more than is accepted shows that there are too many.
    server.maxHeadersCount = MAX_HEADERS + 1
    cutStalled(server, sockets, this.#timeouts.inactive)
    server.on('request', this.#onRequest)
    server.on('checkContinue', this.#onRequest)
    server.on('checkExpectation', this.#onExpectation)
    this.#onRefusal = (status, error, socket) => {
      onResponse(status)
      this.refused.add(refusedBytes(status, error, Connection.of(socket).remoteAddress))
    }
    server.on('clientError', (error: ClientError, socket: Duplex) =>
      refuseMalformed(error, socket as Socket, this.#onRefusal),
    )
    declineUpgrades(server, secure !== undefined, this.#onRefusal)
  }

  /** Rejects with HG_LISTEN_FAILED if it cannot listen on the address. */
  async open(): Promise<Address> {
    const { holds, log, secure, descriptors = readDescriptors } = this.#options
    if (holds) this.#held = new HeldConnections(this.#server, this.#limit, this.#timeouts.request)
    const address = await listen(this.#server, this.#options, 'HEADGATE_HOST')
    logAcceptErrors(this.#server, log)
    this.#limit.boundByDescriptors(descriptors(), log)
    return addressOf(address, secure === undefined ? 'http' : 'https')
  }

  /** Serves the held connections, and new ones at once. */
  release(): void {
    this.#held?.release()
    this.#held = undefined
  }

  /** For one source of a pipeline; `onResponse` is called with the status of every response on its paths. */
  bind(pipeline: string, onResponse: (status: number) => void): SourcePaths {
    return new SourcePaths(this.#routes, { pipeline, onResponse })
  }

  /**
   * Accepts no more connections; resolves when all requests have their responses and all connections are closed. Until then,
   * requests on open connections still get responses, each with `Connection: close`. For `lingering` milliseconds, idle
   * connections stay open: a request may be on its way.
   */
  close(lingering = 0): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const stopListening = () => {
        closeListeningSocket(this.#server, () => {
          this.#server.close()
          resolve()
        })
        this.#http2?.drain()
        if (this.#lingers) setTimeout(() => this.#cutIdle(), lingering).unref()
        // Held connections are read first: since Node.js 26, one that has sent nothing so far is idle, too.
        else setImmediate(() => setImmediate(() => this.#cutIdle()))
      }
      this.#lingers = lingering > 0
      this.release()
      if (this.#options.reusePort) whenAccepted(this.#server, stopListening)
      else stopListening()
    })
    return this.#closed
  }

  /** Closes, and cuts the connections that `close` would wait for. */
  closeNow(): void {
    void this.close()
    for (const connection of this.#limit.open) connection.destroy()
  }

  /** The resources that senders use now. */
  usage(): { readonly connections: number; readonly bodyBytes: number } {
    return { connections: this.#limit.used, bodyBytes: this.#memory.held }
  }

  readonly #onRequest = (request: IncomingRequest, outgoing: OutgoingResponse): void => {
    if (Connection.of(request.socket).accept(outgoing)) this.#take(request, outgoing, headError(request))
  }

  #take(request: Incoming, outgoing: Outgoing, unfit: HeadgateError | undefined): void {
    if (unfit !== undefined) {
      this.#refuse(request, outgoing, () => problem(unfit, undefined, CLOSE), this.#nobody)
      return
    }
    const route = this.#routes.find(pathOf(request.url ?? ''))
    if (route !== undefined) exchange(request, outgoing, route, this.#context)
    else this.#refuse(request, outgoing, () => this.#noRoute(), this.#nobody)
  }

  #offerHttp2(): Http2Sessions {
    const { maxHeaderSize = MAX_HEADER_SIZE, log, onHttp2Fault: onFault } = this.#options
    const limits = { maxHeaderSize, limit: this.#limit, timeouts: this.#timeouts }
    return new Http2Sessions(this.#server, {
      ...limits,
      log,
      onFault,
      onRequest: (stream) => {
        const unfit = streamHeadError(stream, maxHeaderSize)
        if (CONTINUE.test(stream.headers.expect ?? '100-continue')) this.#take(stream, stream, unfit)
        else this.#refuseExpectation(stream, stream, unfit)
      },
      onSlow: (stream) => {
        stream.abort()
        const response = problem(tooSlow)
        respondEarly(stream, stream, response, this.#context.closing(), undefined)
        this.#onRefusal(response.status, tooSlow, stream.socket)
      },
    })
  }

  readonly #onExpectation = (request: IncomingRequest, outgoing: OutgoingResponse): void => {
    if (!Connection.of(request.socket).accept(outgoing)) return
    this.#refuseExpectation(request, outgoing, headError(request))
  }

  #refuseExpectation(request: Incoming, outgoing: Outgoing, unfit: HeadgateError | undefined): void {
    const owner = this.#routes.find(pathOf(request.url ?? '')) ?? this.#nobody
    const error = unfit ?? unknownExpectation
    this.#refuse(request, outgoing, () => problem(error, undefined, CLOSE), owner)
  }

  #refuse(
    request: Incoming,
    outgoing: Outgoing,
    refusal: () => ReturnType<typeof problem>,
    owner: Owner,
  ): void {
    void refuse(request, outgoing, ReceivedRequest.of(request), refusal, owner, this.#context)
  }

  #noRoute(): ReturnType<typeof problem> {
    if (this.#closed !== undefined) return stopping
    return this.#held === undefined ? noRoute : starting
  }

  /** The last response has been written but may not have been sent. */
  #onNoRequests(): void {
    if (this.#closed !== undefined && !this.#lingers) setImmediate(() => this.#server.closeIdleConnections())
  }

  #cutIdle(): void {
    this.#lingers = false
    if (this.#context.requests.count === 0) this.#server.closeIdleConnections()
  }
}

const serverOptions = (
  { maxHeaderSize = MAX_HEADER_SIZE }: ListenerOptions,
  { headers, request, keepAlive, checkEvery }: Timeouts,
) => ({
  headersTimeout: headers,
  requestTimeout: request,
  keepAliveTimeout: keepAlive,
  connectionsCheckingInterval: checkEvery,
  maxHeaderSize,
  insecureHTTPParser: false,
  // Since Node.js 24.9. Before, and in `declineUpgrades`, such a request is taken for one without it.
  shouldUpgradeCallback: () => false,
  // node:http would respond without a body, and no metric would count it.
  requireHostHeader: false,
  IncomingMessage: IncomingRequest,
  ServerResponse: OutgoingResponse,
})

/** As node:http looks for it. */
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i
const CLOSE = { connection: 'close' }
const noRoute = problem(new HeadgateError('HG_INTAKE_NOT_FOUND', 'No pipeline listens at this path.'))
const stopping = problem(new HeadgateError('HG_INTAKE_STOPPING', 'Headgate is shutting down.'))
const starting = problem(new HeadgateError('HG_INTAKE_STARTING', 'Headgate is starting.'))
const unknownExpectation = new HeadgateError(
  'HG_INTAKE_EXPECTATION',
  'The only Expect header that is understood is 100-continue.',
)

function addressOf({ address, family, port }: AddressInfo, scheme: 'http' | 'https'): Address {
  return { host: address, port, url: `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}` }
}
