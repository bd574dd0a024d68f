import type { HeadgateError } from '../contract/errors.js'
import { asHeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import type { MaskPath } from '../lib/json/masked.js'
import { Rate } from '../lib/rate.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import type { AcknowledgementAttempt, CompletedEvent, Tap } from '../pipeline/taps.js'
import { eventDetail } from './detail.js'
import { KeptEvents } from './kept-events.js'
import type { EventDetail, TapLine } from './line.js'
import { eventLine, fits, fitsRule, looksAtBody, type TapFilter, type TapView } from './lines.js'

/** The events that a reader asks for, and the parts to show. */
export interface TapRequest {
  readonly filter: TapFilter
  readonly view: TapView
  /** The pipelines that run now and are tapped; the filter decides about those that a reload adds. */
  readonly pipelines: readonly string[]
  /** At most so many events a second. */
  readonly rate: number
  /** Ends after so many events. */
  readonly limit: number | undefined
  /** Ends after so many milliseconds. */
  readonly duration: number | undefined
  /** Whether events are kept, so that the reader can ask about them. */
  readonly keeps: boolean
}

/** Receives the lines. */
export interface TapReader {
  /** False for backpressure; `OpenTap.resume` is called when the reader takes more. */
  write(text: string): boolean
  end(): void
  /** Closes the connection at once, because the reader is stuck. */
  drop(): void
}

/** An event as it was received, and the places in it that nobody is shown. */
export interface KeptBody {
  readonly pipeline: string
  readonly id: string
  readonly body: Buffer
  readonly masks: readonly MaskPath[]
  /** Rules read parts of its request, of which nothing is shown. */
  readonly readsRequest: boolean
}

export interface TapHost {
  secrets(): ReadonlyMap<string, string>
  skipped(): void
  failed(error: HeadgateError): void
  onEnd(): void
}

type EndReason = Extract<TapLine, { kind: 'end' }>['why']

/** All in milliseconds. */
const CHECK_EVERY = 1000
const IDLE_AFTER = 15_000
const STUCK_AFTER = 30_000
/** A body costs the rate one event for every so many bytes that are searched: bodies of 1 MiB would take time from other events. */
const BYTES_PER_EVENT = 32 * 1024

/**
 * Shows one reader the events as they complete. Nothing waits for the reader and nothing is buffered for it: events above
 * the rate, or completed while the reader applies backpressure, are only counted.
 */
export class OpenTap implements Tap {
  /** Names it among the taps of the process. */
  readonly number: number
  readonly #kept: KeptEvents | undefined
  readonly #request: TapRequest
  readonly #reader: TapReader
  readonly #host: TapHost
  readonly #rate: Rate
  readonly #checking: NodeJS.Timeout
  readonly #timer: NodeJS.Timeout | undefined
  #remaining: number
  #skipped = 0
  #ended = false
  #lastLine = performance.now()
  #stuckSince: number | undefined

  constructor(number: number, request: TapRequest, reader: TapReader, host: TapHost) {
    this.number = number
    this.#kept = request.keeps ? new KeptEvents() : undefined
    this.#request = request
    this.#reader = reader
    this.#host = host
    this.#rate = new Rate(request.rate)
    this.#remaining = request.limit ?? Number.POSITIVE_INFINITY
    this.#checking = setInterval(() => this.#check(), CHECK_EVERY).unref()
    const { duration } = request
    this.#timer = duration === undefined ? undefined : setTimeout(() => this.end('time'), duration).unref()
    const { pipelines, rate, keeps } = request
    this.#write({ kind: 'tapping', pipelines, rate, ...(keeps && { tap: number }) })
  }

  offer(completed: CompletedEvent): void {
    try {
      const { filter } = this.#request
      const { rule, askRule } = completed
      if (this.#ended || !fits(filter, completed) || (askRule === undefined && !fitsRule(filter, rule)))
        return
      // Asking counts against the rate even if the event is not shown: otherwise a stage would explain every event it drops.
      if (!this.#mayShow(completed)) this.#skip()
      else if (askRule === undefined) this.#show(completed, rule)
      else
        askRule()
          .then((explained) => this.#show(completed, explained ?? rule))
          .catch((thrown: unknown) => this.#fail(thrown))
    } catch (thrown) {
      this.#fail(thrown)
    }
  }

  attempted(attempt: AcknowledgementAttempt): void {
    this.#kept?.attempted(attempt)
  }

  /** An event that it has shown, with so many bytes of its body; undefined if it is no longer kept. */
  detail(number: number, payload: number): EventDetail | undefined {
    const kept = this.#kept?.get(number)
    const view = { ...this.#request.view, payload }
    return kept && eventDetail(kept, view, this.#host.secrets())
  }

  /** An event that it has shown, for a dry run; undefined if it is no longer kept, or if the request did not become one. */
  keptEvent(number: number): KeptBody | undefined {
    const { event, pipeline } = this.#kept?.get(number)?.completed ?? {}
    if (event === undefined || pipeline === undefined) return undefined
    const masks = [...pipeline.masks, ...this.#request.view.masks]
    const { id, body, request } = event
    return { pipeline: pipeline.name, id, body: body.bytes, masks, readsRequest: request !== undefined }
  }

  /** The reader takes more again. */
  resume(): void {
    this.#stuckSince = undefined
  }

  /** Ends the tap and tells the reader why. */
  end(why: EndReason): void {
    if (this.#ended) return
    this.leave()
    this.#reportSkipped()
    this.#write({ kind: 'end', why })
    this.#reader.end()
  }

  /** The reader is gone. */
  leave(): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#checking)
    clearTimeout(this.#timer)
    this.#host.onEnd()
  }

  #check(): void {
    const now = performance.now()
    if (this.#stuckSince !== undefined) {
      if (now - this.#stuckSince < STUCK_AFTER) return
      this.leave()
      this.#reader.drop()
    } else if (this.#skipped > 0) this.#reportSkipped()
    else if (now - this.#lastLine >= IDLE_AFTER) this.#write({ kind: 'idle' })
  }

  #write(line: TapLine): void {
    this.#lastLine = performance.now()
    if (!this.#reader.write(`${JSON.stringify(line)}\n`)) this.#stuckSince ??= this.#lastLine
  }

  #reportSkipped(): void {
    if (this.#skipped > 0) this.#write({ kind: 'skipped', count: this.#skipped })
    this.#skipped = 0
  }

  #skip(): void {
    this.#skipped++
    this.#host.skipped()
  }

  #mayShow(completed: CompletedEvent): boolean {
    const now = performance.now()
    if (this.#stuckSince !== undefined || this.#rate.wait(now) > 0) return false
    const bytes = looksAtBody(completed, this.#request.view) ? (completed.event?.body.bytes.length ?? 0) : 0
    for (let paid = 0; paid <= bytes; paid += BYTES_PER_EVENT) this.#rate.take(now)
    return true
  }

  #show(completed: CompletedEvent, rule: string | undefined): void {
    if (this.#ended || !fitsRule(this.#request.filter, rule)) return
    if (this.#stuckSince !== undefined) {
      this.#skip()
      return
    }
    const line = eventLine(completed, rule, this.#request.view, this.#host.secrets())
    const number = this.#kept?.add(completed, rule)
    this.#write(number === undefined ? line : { ...line, number })
    if (--this.#remaining === 0) this.end('limit')
  }

  #fail(thrown: unknown): void {
    if (!this.#ended) this.#host.failed(asHeadgateError(thrown, 'Showing an event'))
    this.end('failed')
  }
}

/** The most taps at once: every event is compared with the filter of each. */
export const MOST_TAPS = 8
/** Milliseconds for which the events of a closed tap are kept: a reader closes it to look at one of them in peace. */
const KEPT_FOR = 10 * 60_000

export interface TapsOptions {
  readonly metrics: MetricsRegistry
  readonly log: Log
  /** Values that must not be shown, and the references that are shown for them. */
  secrets(): ReadonlyMap<string, string>
  /** Called when the first tap opens, and when the last one has closed. */
  onWatched?(watched: boolean): void
}

/** The open taps of this process; they outlive reloads. */
export class Taps {
  readonly #running = new Set<OpenTap>()
  /** Those that keep events, for some time after their end. */
  readonly #closed = new Map<number, OpenTap>()
  readonly #skipped: { inc(): void }
  readonly #log: Log
  readonly #secrets: TapsOptions['secrets']
  readonly #onWatched: (watched: boolean) => void
  #last = 0

  constructor({ metrics, log, secrets, onWatched = () => {} }: TapsOptions) {
    this.#onWatched = onWatched
    this.#log = log
    this.#secrets = secrets
    metrics.sampled(METRICS.tapSubscribers, {}, () => this.#running.size)
    this.#skipped = metrics.counter(METRICS.tapSkippedTotal, {})
  }

  /** Pipelines check whether there are any. */
  get running(): ReadonlySet<Tap> {
    return this.#running
  }

  get full(): boolean {
    return this.#running.size >= MOST_TAPS
  }

  /** Undefined if there are as many as there may be. */
  start(request: TapRequest, reader: TapReader): OpenTap | undefined {
    if (this.full) return undefined
    const { pipelines, outcomes, routes, codes } = request.filter
    const fields = { event: 'tap', pipelines, outcomes, routes, codes, payload: request.view.payload }
    this.#log.info(fields, 'a tap was opened')
    const tap = new OpenTap(++this.#last, request, reader, {
      secrets: this.#secrets,
      skipped: () => this.#skipped.inc(),
      failed: ({ code, message, cause }) => this.#log.error({ code, err: cause }, message),
      onEnd: () => {
        this.#running.delete(tap)
        if (this.#running.size === 0) this.#onWatched(false)
        if (request.keeps) this.#keep(tap)
        this.#log.info({ event: 'tap' }, 'a tap was closed')
      },
    })
    this.#running.add(tap)
    if (this.#running.size === 1) this.#onWatched(true)
    return tap
  }

  /** A tap that is open, or keeps its events after its end. */
  find(number: number): OpenTap | undefined {
    return this.#closed.get(number) ?? [...this.#running].find((tap) => tap.number === number)
  }

  /** Ends all of them: Headgate stops. */
  close(): void {
    for (const tap of this.#running) tap.end('stopping')
  }

  #keep(tap: OpenTap): void {
    this.#closed.set(tap.number, tap)
    setTimeout(() => this.#closed.delete(tap.number), KEPT_FOR).unref()
    const [oldest] = this.#closed.keys()
    if (this.#closed.size > MOST_TAPS && oldest !== undefined) this.#closed.delete(oldest)
  }
}
