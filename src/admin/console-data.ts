import type { Writable } from 'node:stream'
import type { CheckedConfig } from '../config/read.js'
import { type History, POINTS, STEP } from '../metrics/history.js'
import type { PrimaryPipeline } from '../pipeline/pipeline.js'
import type { Pipelines, Traffic } from './api.js'
import { pipelineShapes } from './pipelines.js'
import { get, json, type Route, type StreamedResponse } from './routes.js'
import { pipelineTraffic } from './traffic.js'

export interface ConsoleData {
  readonly history: History
  config(): Pick<CheckedConfig, 'revision' | 'pipelines'>
  running(): readonly PrimaryPipeline[]
  notReady(): readonly string[]
  /** Whether the API may change the config and files beside it. */
  readonly writable: boolean
}

/** Milliseconds between two messages of a stream. */
const EVERY = 1000

/** The pipelines, and their traffic: once, or as server-sent events for a client that accepts those. */
export function consoleDataRoutes(data: ConsoleData): Route[] {
  const feed = new TrafficFeed(data)
  return [
    get('/pipelines', () => {
      const pipelines = pipelineShapes(data.config().pipelines, data.running())
      return json(200, { pipelines, writable: data.writable } satisfies Pipelines)
    }),
    get('/traffic', ({ headers }) =>
      headers.accept?.includes('text/event-stream') ? feed.stream() : json(200, trafficOf(data, POINTS)),
    ),
  ]
}

function trafficOf({ history, config, running, notReady }: ConsoleData, newPoints: number): Traffic {
  return {
    at: new Date().toISOString(),
    revision: config().revision,
    notReady: notReady(),
    step: STEP,
    pipelines: pipelineTraffic(history, running(), newPoints),
  }
}

/** Sends the traffic to every listener each second. The messages are made once for all of them, and only while there is one. */
class TrafficFeed {
  readonly #data: ConsoleData
  /** The points that each listener has. */
  readonly #listeners = new Map<Writable, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(data: ConsoleData) {
    this.#data = data
  }

  stream(): StreamedResponse {
    return {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      stream: (response) => {
        if (response.destroyed) return
        this.#listeners.set(response, 0)
        response.on('close', () => this.#leave(response))
        this.#timer ??= setInterval(() => this.#send(this.#listeners.keys()), EVERY).unref()
        this.#send([response])
      },
    }
  }

  #leave(response: Writable): void {
    this.#listeners.delete(response)
    if (this.#listeners.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #send(listeners: Iterable<Writable>): void {
    const { history } = this.#data
    const messages = new Map<number, string>()
    for (const listener of listeners) {
      // A listener that reads slowly gets the points later, in one message.
      if (listener.writableNeedDrain) continue
      const newPoints = history.points - (this.#listeners.get(listener) ?? 0)
      const message = messages.get(newPoints) ?? JSON.stringify(trafficOf(this.#data, newPoints))
      messages.set(newPoints, message)
      this.#listeners.set(listener, history.points)
      listener.write(`data: ${message}\n\n`)
    }
  }
}
