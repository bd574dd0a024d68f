import { HeadgateError } from '../../../contract/errors.js'
import {
  type BodyMemory,
  type Event,
  type Explained,
  type Handshake,
  type HttpHandler,
  type HttpHead,
  type HttpListener,
  type HttpRequest,
  type HttpResponse,
  type Intake,
  isHandshake,
  type Outcome,
  type Source,
  type SourceContext,
} from '../../../contract/index.js'
import { Networks } from '../../../lib/networks.js'
import { bytes, milliseconds } from '../../../lib/units.js'
import { type Batch, type SplitSettings, splitting } from './batch.js'
import { type BodyReader, bodyReader } from './body.js'
import { type ContentEncoding, contentEncoding } from './content-encoding.js'
import { Deadline } from './deadline.js'
import { type HeadHandshake, headHandshake } from './handshake/by-head.js'
import { RateLimits } from './rate-limits.js'
import { receiver } from './receive.js'
import { type ErrorHeaders, Responder } from './responder.js'
import { Room } from './room.js'
import type { Settings } from './settings.js'
import { takeItems } from './take-items.js'
import { verifier } from './verify/schemes.js'
import type { Verifier } from './verify/verifier.js'

const NO_BODY = Buffer.alloc(0)

/** Each request becomes an event, and its response waits for the outcome. */
export class HttpWebhook implements Source {
  readonly #config: Settings
  readonly #http: HttpListener
  readonly #memory: BodyMemory
  readonly #allow: Networks | undefined
  readonly #limits: RateLimits | undefined
  readonly #room: Room
  readonly #deadline: Deadline
  readonly #verify: Verifier
  readonly #encoding: ContentEncoding
  readonly #reader: BodyReader
  readonly #split: SplitSettings | undefined
  readonly #receive: (request: HttpRequest) => Event | Batch | Handshake
  readonly #handshake: HeadHandshake | undefined
  readonly #responder: Responder
  #stopped: Promise<void> | undefined
  #unserve: (() => void) | undefined

  constructor(config: Settings, { http, files, metrics }: SourceContext) {
    this.#config = config
    this.#http = http
    this.#memory = http.memory
    this.#allow = config.allow && new Networks(config.allow)
    this.#room = new Room(config.maxInFlight, http.sharedBy)
    this.#deadline = new Deadline(milliseconds(config.responseTimeout))
    this.#verify = verifier(config.verify, config.publicUrl, files)
    this.#limits =
      config.rateLimit && new RateLimits(config.rateLimit, http.sharedBy ?? 1, this.#verify.key, metrics)
    this.#encoding = contentEncoding(config.encodings, config.maxBody)
    this.#reader = bodyReader(config.body, config.maxDepth)
    this.#split = splitting(config.split)
    this.#receive = receiver(config, this.#verify, this.#encoding, this.#reader)
    const { handshake } = config
    this.#handshake =
      handshake === undefined || handshake.form === 'body' ? undefined : headHandshake(handshake)
    const { challenge } = this.#verify
    const errorHeaders: ErrorHeaders = {
      ...(challenge !== undefined && { HG_INTAKE_UNAUTHENTICATED: { 'www-authenticate': challenge } }),
      HG_INTAKE_METHOD: { allow: config.methods.join(', ') },
      HG_INTAKE_MEDIA_TYPE: { accept: this.#reader.accepted },
      HG_INTAKE_ENCODING: { 'accept-encoding': this.#encoding.accepted },
      HG_INTAKE_STOPPING: { connection: 'close' },
    }
    this.#responder = new Responder(config.responses, errorHeaders, this.#limits)
  }

  async start(intake: Intake): Promise<void> {
    this.#unserve = this.#http.serve(this.#config.path, this.#handler(intake))
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#room.close().then(() => this.#unserve?.())
    return this.#stopped
  }

  respond(outcome: Outcome): HttpResponse {
    return this.#responder.respond(outcome)
  }

  explain(request: HttpRequest): readonly Explained[] {
    const { verify, eventId } = this.#config
    const received = this.#receive(request)
    const proved: Explained[] =
      // The scheme "none" has nothing to look at.
      verify.scheme === 'none'
        ? []
        : [{ name: 'verification', result: `${verify.scheme}: proved`, looked: [] }]
    if ('items' in received)
      return [...proved, { name: 'batch', result: `${received.items.length} items`, looked: [] }]
    if (isHandshake(received)) return []
    const { id } = received
    const at = [eventId]
      .flat()
      .map((place) => place || 'the body')
      .join(', ')
    return [...proved, { name: 'event id', result: id, looked: [{ at, found: id }] }]
  }

  #handler(intake: Intake): HttpHandler {
    const { trustedProxies } = this.#config
    const proxies = trustedProxies && new Networks(trustedProxies)
    return {
      methods: this.#methods(),
      maxBodyBytes: bytes(this.#config.maxBody),
      head: (request) => this.#preflight(intake, request),
      handle: (request) => this.#handle(intake, request),
      tooLarge: (request) => this.#refuse(intake, tooLarge(this.#config.maxBody), request),
      noMemory: (request) => this.#refuse(intake, noMemory(), request),
      ...(proxies !== undefined && { trusts: (address) => proxies.has(address) }),
    }
  }

  /** Those of events, and of the handshake. */
  #methods(): readonly string[] {
    const { methods } = this.#config
    return this.#handshake === undefined ? methods : [...new Set([...methods, this.#handshake.method])]
  }

  #preflight(intake: Intake, request: HttpHead): Promise<HttpResponse> | undefined {
    const { headers } = request
    const handshake = this.#handshake
    try {
      if (this.#allow !== undefined) requireAllowed(this.#allow, request)
      this.#limits?.arrived(request)
      if (handshake?.matches(request)) return this.#shakeHands(handshake, intake, request)
      if (handshake !== undefined) this.#requireMethod(request)
      this.#room.require()
      this.#verify.head?.(request)
      this.#limits?.requireRoom(request)
      this.#encoding.require(headers)
      this.#reader.require(headers)
      return undefined
    } catch (reason) {
      return this.#refuse(intake, reason, request)
    }
  }

  #handle(intake: Intake, request: HttpRequest): Promise<HttpResponse> {
    try {
      this.#room.require()
    } catch (reason) {
      return this.#refuse(intake, reason, request)
    }
    return this.#split === undefined ? this.#takeEvent(intake, request) : this.#takeBatch(intake, request)
  }

  #takeEvent(intake: Intake, request: HttpRequest): Promise<HttpResponse> {
    let id: string | undefined
    let added = 0
    let late = false
    this.#room.begin()
    return new Promise((resolve, reject) => {
      const due = this.#deadline.begin(() => {
        // The event stays in flight after its response, and its bytes stay in memory.
        late = true
        this.#memory.add(request.body.length)
        resolve(this.respond({ kind: 'unavailable', id, error: tooLate(this.#config.responseTimeout) }))
      })
      const receive = () => {
        // There is a batch only with `split`.
        const event = this.#receive(request) as Event | Handshake
        if (isHandshake(event)) return event
        this.#limits?.accepted(request, 1)
        const more = bytesBeside(request.body, event.body)
        if (more > 0) {
          if (!this.#memory.take(more)) throw noMemory()
          added = more
        }
        id = event.id
        return event
      }
      this.#take(intake, receive, request).then((outcome) => {
        this.#deadline.end(due)
        if (late) this.#memory.release(request.body.length)
        this.#end(added)
        resolve(this.respond(outcome))
      }, reject)
    })
  }

  #takeBatch(intake: Intake, request: HttpRequest): Promise<HttpResponse> {
    let late = false
    this.#room.begin()
    return new Promise((resolve, reject) => {
      const due = this.#deadline.begin(() => {
        late = true
        this.#memory.add(request.body.length)
        const error = tooLate(this.#config.responseTimeout)
        resolve(this.respond({ kind: 'unavailable', id: undefined, error }))
      })
      this.#settleBatch(intake, request).then((response) => {
        this.#deadline.end(due)
        if (late) this.#memory.release(request.body.length)
        this.#room.leave()
        resolve(response)
      }, reject)
    })
  }

  /** Each item is an event like any other. The response waits for all of them. */
  async #settleBatch(intake: Intake, request: HttpRequest): Promise<HttpResponse> {
    let batch: Batch
    try {
      await this.#verify.prepare?.(request)
      const received = this.#receive(request)
      if (!('items' in received)) return this.respond(await intake(() => received, request))
      this.#limits?.accepted(request, received.items.length)
      batch = received
    } catch (reason) {
      return this.#refuse(intake, reason, request)
    }
    const added = bytesBeside(request.body, batch.body)
    if (!this.#memory.take(added)) return this.#refuse(intake, noMemory(), request)
    const outcomes = await takeItems(batch.items, this.#room, (item) => intake(item, request))
    this.#memory.release(added)
    return this.#responder.respondToBatch(outcomes)
  }

  /** There is no body that could be verified: these handshakes are answered before it is read. */
  async #shakeHands(handshake: HeadHandshake, intake: Intake, request: HttpHead): Promise<HttpResponse> {
    const { head, prepare, body } = this.#verify
    const unprepared = handshake.verified ? await failureOf(prepare?.(request)) : undefined
    const outcome = await intake(() => {
      if (handshake.verified) {
        head?.(request)
        if (unprepared !== undefined) throw unprepared
        body?.(request, NO_BODY)
      }
      return handshake.respond(request)
    }, request)
    return this.respond(outcome)
  }

  /** The method of the handshake brings no events. */
  #requireMethod({ method }: HttpHead): void {
    const { methods } = this.#config
    if ((methods as readonly string[]).includes(method)) return
    throw new HeadgateError(
      'HG_INTAKE_METHOD',
      `The method is ${method}, and the request is no handshake; events come by ${methods.join(', ')}.`,
    )
  }

  /** Waits only if the verification of the sender does: every promise costs a turn of the microtask queue. */
  #take(intake: Intake, receive: () => Event | Handshake, request: HttpRequest): Promise<Outcome> {
    const prepared = this.#verify.prepare?.(request)
    if (prepared === undefined) return intake(receive, request)
    return failureOf(prepared).then((failure) =>
      intake(() => {
        if (failure !== undefined) throw failure
        return receive()
      }, request),
    )
  }

  /** A refused delivery is an event with an outcome like any other, so it takes the same path. */
  async #refuse(intake: Intake, reason: unknown, request: HttpHead): Promise<HttpResponse> {
    const outcome = await intake(() => {
      throw reason
    }, request)
    return this.respond(outcome)
  }

  #end(added: number): void {
    if (added > 0) this.#memory.release(added)
    this.#room.leave()
  }
}

/** The reason why a promise rejects; undefined if it does not, or if there is none. */
const failureOf = async (work: Promise<void> | undefined): Promise<unknown> => {
  try {
    await work
    return undefined
  } catch (reason) {
    return reason
  }
}

/** Bytes that were made of the body of the request: inflated, and decoded ones. */
function bytesBeside(sent: Buffer, { bytes, original }: Batch['body']): number {
  if (original === undefined) return bytes === sent ? 0 : bytes.length
  return bytes.length + (original.bytes === sent ? 0 : original.bytes.length)
}

function requireAllowed(allow: Networks, { remoteAddress }: HttpHead): void {
  if (remoteAddress !== undefined && allow.has(remoteAddress)) return
  throw new HeadgateError(
    'HG_INTAKE_NOT_ALLOWED',
    remoteAddress === undefined
      ? 'The address of the sender is unknown: Forwarded or X-Forwarded-For has no valid address there, or they differ.'
      : `The address of the sender is ${remoteAddress}, and this path accepts no requests from there.`,
  )
}

const tooLarge = (limit: string): HeadgateError =>
  new HeadgateError('HG_INTAKE_TOO_LARGE', `The body is larger than ${limit}.`)

const noMemory = (): HeadgateError =>
  new HeadgateError(
    'HG_INTAKE_BUSY',
    'The bodies of the events in flight use all of HEADGATE_MAX_BODY_MEMORY.',
  )

const tooLate = (limit: string): HeadgateError =>
  new HeadgateError(
    'HG_INTAKE_TIMEOUT',
    `Kafka has not confirmed the event within ${limit}; it may still do so.`,
  )
