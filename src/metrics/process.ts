import type { Listener } from '../http/listener.js'
import { type MetricsRegistry, showRuntime } from './registry.js'

export interface ProcessState {
  /** Whether events can be taken now. */
  ready(): boolean
  usage: Listener['usage']
  readonly maxConnections: number
  /** Bytes. */
  readonly maxBodyMemory: number
}

/** Declares the metrics that belong to no pipeline. */
export function showProcess(metrics: MetricsRegistry, state: ProcessState): void {
  showRuntime(metrics)
  metrics.sampled('ready', '1 where events can be taken, as /ready says.', {}, () => (state.ready() ? 1 : 0))
  metrics.sampled(
    'http_connections',
    'Connections of senders that are open.',
    {},
    () => state.usage().connections,
  )
  metrics.sampled(
    'http_connections_limit',
    'Connections that senders may have open, as HEADGATE_MAX_CONNECTIONS says.',
    {},
    () => state.maxConnections,
  )
  metrics.sampled(
    'http_body_bytes',
    'Bytes of bodies that are coming in and of events in flight.',
    {},
    () => state.usage().bodyBytes,
  )
  metrics.sampled(
    'http_body_limit_bytes',
    'What those bytes may be at most, as HEADGATE_MAX_BODY_MEMORY says.',
    {},
    () => state.maxBodyMemory,
  )
}

/** Counts the connections that found as many open as there may be. */
export function countRefused(metrics: MetricsRegistry): () => void {
  const refused = metrics.counter(
    'http_connections_refused_total',
    'Connections of senders that were closed at once because as many were open as HEADGATE_MAX_CONNECTIONS allows, each with a request under way.',
    {},
  )
  return () => refused.inc()
}

/** The usual statuses are shown from the start, so that their rates are right from the first one on; others when they come up. */
const OF_PIPELINE = [200, 202, 400, 401, 413, 415, 422, 503]
const OF_NONE = [400, 404, 405, 408, 413, 431, 503]

/** Counts the answers on the paths of a pipeline; `none` for those that belong to no pipeline. */
export function countResponses(metrics: MetricsRegistry, pipeline: string): (status: number) => void {
  const counter = (status: number) =>
    metrics.counter('http_responses_total', 'Answers to requests, by status.', {
      pipeline,
      code: String(status),
    })
  const usual = pipeline === 'none' ? OF_NONE : OF_PIPELINE
  const counters = new Map(usual.map((status) => [status, counter(status)]))
  return (status) => (counters.get(status) ?? counter(status)).inc()
}
