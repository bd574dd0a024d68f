import { type AddressInfo, type Socket, Server as TcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { HeadgateError } from '../contract/errors.js'
import type { HttpListener, Log } from '../contract/index.js'
import { onceAMinute } from '../lib/log-limits.js'
import { countBodyMemory } from './body-memory.js'
import { Connection } from './connection.js'
import { type ConnectionLimit, createConnectionLimit } from './connection-limit.js'
import { type Descriptors, readDescriptors } from './descriptors.js'
import { exchange, type Route, receivedRequest, refuse, type Shared } from './exchange.js'
import { type HeldConnections, holdConnections } from './held-connections.js'
import { type ListenAt, listen, whenAccepted } from './listen.js'
import { type ClientError, refuseMalformed } from './malformed.js'
import { IncomingRequest } from './node-internals.js'
import { OutgoingAnswer } from './outgoing-answer.js'
import { problem } from './problem.js'
import { headError, MOST_HEADERS, pathOf } from './request-head.js'
import { countRequests } from './requests.js'
import { createHttpServer, logAcceptErrors, type Secure } from './server.js'
import { cutStalled } from './stalled.js'
import { createTurns } from './turns.js'
import { countUnanswered } from './unanswered.js'
import { declineUpgrades } from './upgrade.js'

export interface ListenerOptions extends ListenAt {
  readonly log: Log
  /** Told the status of every answer that belongs to no pipeline. */
  readonly onResponse: (status: number) => void
  /** Beyond this, a connection that waits for a request is closed for a new one; if none waits, the new one is. */
  readonly maxConnections?: number
  /** Called for each new one that is closed. */
  readonly onRefused?: () => void
  /** Bytes of bodies that are coming in or in flight. */
  readonly maxBodyMemory?: number
  /** Bytes of request line and headers together. */
  readonly maxHeaderSize?: number
  readonly timeouts?: Partial<Timeouts>
  /** Read when it is opened: with fewer descriptors, fewer connections are accepted. */
  readonly descriptors?: () => Descriptors | undefined
  /** Speaks HTTPS. */
  readonly secure?: Secure | undefined
  /** How many workers share the address; absent where one process has it to itself. The bounds are of each. */
  readonly sharedBy?: number
  /** New connections wait until `release` is called. */
  readonly holds?: boolean
}

/** All in milliseconds. */
export interface Timeouts {
  /**
   * From the first byte of a request, or the opening of the connection, to the end of the headers. With TLS, also from
   * the opening of the connection until TLS is agreed on.
   */
  readonly headers: number
  /** From the first byte of a request to its last. */
  readonly request: number
  /** How long a connection waits for its next request. Load balancers reuse theirs for up to 60 s. */
  readonly keepAlive: number
  /** How long a sender may not read its answers. Then, and at most as long again, its connection is cut. */
  readonly inactive: number
  /** How often the first two are looked at. */
  readonly checkEvery: number
}

export interface Address {
  readonly host: string
  readonly port: number
  readonly url: string
}

/** The HTTP listener that all pipelines share. */
export interface Listener {
  /** Rejects with HG_LISTEN_FAILED where the address cannot be had. */
  open(): Promise<Address>
  /** Serves the connections that it has held, and new ones at once. */
  release(): void
  /** For one source of a pipeline; `onResponse` is told the status of every answer on its paths. */
  bind(pipeline: string, onResponse: (status: number) => void): SourcePaths
  /**
   * Takes no more connections; resolves when all requests have been answered and all connections are closed. Until
   * then, requests on open connections are still answered, each with `Connection: close`. For `lingering` milliseconds, idle
   * connections stay open for that: a request may be on its way.
   */
  close(lingering?: number): Promise<void>
  /** Closes, and cuts what `close` would wait for. */
  closeNow(): void
  /** What is held for senders now. */
  usage(): { readonly connections: number; readonly bodyBytes: number }
}

/** The listener as one source sees it, and its paths as they are taken from it. */
export interface SourcePaths extends HttpListener {
  /** From now on a source of another pipeline may take them over, as one of the same pipeline always may. */
  offer(): void
  /**
   * Takes no more requests at them. Resolves when all that had come by then have been answered, or their senders have
   * gone: they still reach the source.
   */
  withdraw(): Promise<void>
}

const TIMEOUTS: Timeouts = {
  headers: 5000,
  request: 10_000,
  keepAlive: 65_000,
  inactive: 300_000,
  checkEvery: 1000,
}

/** A quarter of what a post-commit stage has under way by default: each of its connections may rest for a turn or two. */
const EVENTS_A_TURN = 32

export function createListener(options: ListenerOptions): Listener {
  const { log, onResponse } = options
  const timeouts = { ...TIMEOUTS, ...options.timeouts }
  /** Those of each path: the first serves it, the others did and come back where it goes. */
  const routes = new Map<string, readonly OfferedRoute[]>()
  const end = (path: string, route: Route): void => {
    const left = (routes.get(path) ?? []).filter((other) => other !== route)
    if (left.length > 0) routes.set(path, left)
    else routes.delete(path)
  }
  let closed: Promise<void> | undefined
  let lingers = false
  let held: HeldConnections | undefined

  const unanswered = countUnanswered(() => {
    // The last answer has been written but may not have been sent.
    if (closed !== undefined && !lingers) setImmediate(() => server.closeIdleConnections())
  })
  const maxBodyMemory = options.maxBodyMemory ?? 256 * 1024 * 1024
  const memory = countBodyMemory(maxBodyMemory)
  const turns = createTurns(EVENTS_A_TURN)
  const shared: Shared = { log, unanswered, memory, turns, closing: () => closed !== undefined }
  const nobody = { pipeline: 'none', onResponse }
  const noRoute = problem(new HeadgateError('HG_INTAKE_NOT_FOUND', 'No pipeline listens at this path.'))
  const stopping = problem(new HeadgateError('HG_INTAKE_STOPPING', 'Headgate is shutting down.'))
  const starting = problem(new HeadgateError('HG_INTAKE_STARTING', 'Headgate is starting.'))
  const withoutRoute = () => (shared.closing() ? stopping : held === undefined ? noRoute : starting)

  const serve = (request: IncomingRequest, response: OutgoingAnswer) => {
    if (!Connection.of(request.socket).take(response)) return
    const unfit = headError(request)
    if (unfit !== undefined) {
      const answer = () => problem(unfit, undefined, CLOSE)
      void refuse(request, response, receivedRequest(request), answer, nobody, shared)
      return
    }
    const route = routes.get(pathOf(request.url ?? ''))?.[0]
    if (route !== undefined) exchange(request, response, route, shared)
    else {
      void refuse(request, response, receivedRequest(request), withoutRoute, nobody, shared)
    }
  }
  const limit = limitConnections(options)
  const { server, speaking } = createHttpServer(
    {
      headersTimeout: timeouts.headers,
      requestTimeout: timeouts.request,
      keepAliveTimeout: timeouts.keepAlive,
      connectionsCheckingInterval: timeouts.checkEvery,
      maxHeaderSize: options.maxHeaderSize ?? 16 * 1024,
      insecureHTTPParser: false,
      // node:http would answer without a word, and nobody would count it.
      requireHostHeader: false,
      IncomingMessage: IncomingRequest,
      ServerResponse: OutgoingAnswer,
    },
    options.secure,
    limit,
  )
  // One more than is accepted shows that there are too many.
  server.maxHeadersCount = MOST_HEADERS + 1
  cutStalled(server, speaking, timeouts.inactive)
  server.on('request', serve)
  server.on('checkContinue', serve)
  server.on('checkExpectation', (request: IncomingRequest, response: OutgoingAnswer) => {
    if (!Connection.of(request.socket).take(response)) return
    const owner = routes.get(pathOf(request.url ?? ''))?.[0] ?? nobody
    const answer = () => problem(headError(request) ?? unknownExpectation, undefined, CLOSE)
    void refuse(request, response, receivedRequest(request), answer, owner, shared)
  })
  server.on('clientError', (error: ClientError, socket: Duplex) =>
    refuseMalformed(error, socket as Socket, onResponse),
  )
  declineUpgrades(server, options.secure !== undefined, onResponse)
  const { sharedBy } = options
  const release = () => {
    held?.release()
    held = undefined
  }
  const cutIdle = () => {
    lingers = false
    if (unanswered.total === 0) server.closeIdleConnections()
  }
  const close = (lingering = 0) => {
    closed ??= new Promise((resolve) => {
      const stopListening = () => {
        // http.Server's own close() would at once cut idle connections, which may be about to send, and end the checks
        // for slow requests.
        TcpServer.prototype.close.call(server, () => {
          server.close()
          resolve()
        })
        if (lingers) setTimeout(cutIdle, lingering).unref()
        else cutIdle()
      }
      lingers = lingering > 0
      release()
      if (options.reusePort) whenAccepted(server, stopListening)
      else stopListening()
    })
    return closed
  }

  return {
    async open() {
      if (options.holds) held = holdConnections(server, limit, timeouts.request)
      const address = await listen(server, options, 'HEADGATE_HOST')
      logAcceptErrors(server, log)
      boundByDescriptors(limit, options)
      return addressOf(address, options.secure === undefined ? 'http' : 'https')
    },

    bind(pipeline, onPipelineResponse) {
      const own: { readonly path: string; readonly route: OfferedRoute }[] = []
      return {
        memory,
        ...(sharedBy !== undefined && { sharedBy }),
        serve(path, handler) {
          const known = routes.get(path) ?? []
          const taken = known.find((route) => route.pipeline !== pipeline && !route.offered)
          if (taken !== undefined) {
            throw new HeadgateError(
              'HG_CONFIG_CONFLICT',
              `Pipeline "${taken.pipeline}" already serves ${path}.`,
            )
          }
          // Such a body could never come in, and its sender would be told to try again for ever.
          if (handler.maxBodyBytes > maxBodyMemory) {
            throw new HeadgateError(
              'HG_CONFIG_CONFLICT',
              `The source of pipeline "${pipeline}" takes bodies of ${handler.maxBodyBytes} bytes, and HEADGATE_MAX_BODY_MEMORY allows ${maxBodyMemory} for all${sharedBy === undefined ? '' : ', which is its share for each of the workers'}.`,
            )
          }
          const requests = countRequests()
          const route = { pipeline, handler, onResponse: onPipelineResponse, requests, offered: false }
          routes.set(path, [route, ...known])
          own.push({ path, route })
          return () => end(path, route)
        },
        offer() {
          for (const { route } of own) route.offered = true
        },
        async withdraw() {
          for (const { path, route } of own) end(path, route)
          await Promise.all(own.map(({ route }) => route.requests.none()))
        },
      }
    },

    release,

    close,

    closeNow() {
      void close()
      for (const connection of limit.open) connection.destroy()
    },

    usage: () => ({ connections: limit.open.size, bodyBytes: memory.held }),
  }
}

/** Says at most once a minute that there is no room for more connections. */
function limitConnections({ maxConnections = 1000, log, onRefused }: ListenerOptions): ConnectionLimit {
  const sayRefused = onceAMinute((count) =>
    log.warn({ count }, `connections were refused: ${limit.max} are open`),
  )
  const sayEvicted = onceAMinute((count) =>
    log.warn({ count }, `waiting connections were closed for new ones: ${limit.max} are open`),
  )
  const limit: ConnectionLimit = createConnectionLimit(maxConnections, {
    onRefused() {
      sayRefused()
      onRefused?.()
    },
    onEvicted: sayEvicted,
  })
  return limit
}

function boundByDescriptors(
  limit: ConnectionLimit,
  { log, descriptors = readDescriptors }: ListenerOptions,
): void {
  const found = descriptors()
  if (found === undefined || found.forSenders >= limit.max) return
  log.warn(
    { limit: found.limit, connections: found.forSenders },
    `The process may have ${found.limit} files and connections open, which is too few for ${limit.max} connections of senders: ${found.forSenders} are accepted. Raise the limit (ulimit -n, LimitNOFILE) or lower HEADGATE_MAX_CONNECTIONS.`,
  )
  limit.max = found.forSenders
}

const CLOSE = { connection: 'close' }
const unknownExpectation = new HeadgateError(
  'HG_INTAKE_EXPECTATION',
  'The only Expect header that is understood is 100-continue.',
)

interface OfferedRoute extends Route {
  offered: boolean
}

function addressOf({ address, family, port }: AddressInfo, scheme: 'http' | 'https'): Address {
  return { host: address, port, url: `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}` }
}
