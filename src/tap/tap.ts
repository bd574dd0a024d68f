import type { HeadgateError } from '../contract/errors.js'
import { asHeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { Rate } from '../lib/rate.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import type { CompletedEvent, Tap } from '../pipeline/taps.js'
import type { TapLine } from './line.js'
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
}

/** Receives the lines. */
export interface TapReader {
  /** False for backpressure; `OpenTap.resume` is called when the reader takes more. */
  write(text: string): boolean
  end(): void
  /** Closes the connection at once, because the reader is stuck. */
  drop(): void
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

  constructor(request: TapRequest, reader: TapReader, host: TapHost) {
    this.#request = request
    this.#reader = reader
    this.#host = host
    this.#rate = new Rate(request.rate)
    this.#remaining = request.limit ?? Number.POSITIVE_INFINITY
    this.#checking = setInterval(() => this.#check(), CHECK_EVERY).unref()
    const { duration } = request
    this.#timer = duration === undefined ? undefined : setTimeout(() => this.end('time'), duration).unref()
    this.#write({ kind: 'tapping', pipelines: request.pipelines, rate: request.rate })
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
    this.#write(eventLine(completed, rule, this.#request.view, this.#host.secrets()))
    if (--this.#remaining === 0) this.end('limit')
  }

  #fail(thrown: unknown): void {
    if (!this.#ended) this.#host.failed(asHeadgateError(thrown, 'Showing an event'))
    this.end('failed')
  }
}

/** The most taps at once: every event is compared with the filter of each. */
export const MOST_TAPS = 8

export interface TapsOptions {
  readonly metrics: MetricsRegistry
  readonly log: Log
  /** Values that must not be shown, and the references that are shown for them. */
  secrets(): ReadonlyMap<string, string>
}

/** The open taps of this process; they outlive reloads. */
export class Taps {
  readonly #running = new Set<OpenTap>()
  readonly #skipped: { inc(): void }
  readonly #log: Log
  readonly #secrets: TapsOptions['secrets']

  constructor({ metrics, log, secrets }: TapsOptions) {
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
    const tap = new OpenTap(request, reader, {
      secrets: this.#secrets,
      skipped: () => this.#skipped.inc(),
      failed: ({ code, message, cause }) => this.#log.error({ code, err: cause }, message),
      onEnd: () => {
        this.#running.delete(tap)
        this.#log.info({ event: 'tap' }, 'a tap was closed')
      },
    })
    this.#running.add(tap)
    return tap
  }

  /** Ends all of them: Headgate stops. */
  close(): void {
    for (const tap of this.#running) tap.end('stopping')
  }
}
