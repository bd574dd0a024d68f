import type { SessionFault } from '../http/http2/session.js'
import type { Listener } from '../http/listener.js'
import { type MetricsRegistry, type ProcessMetrics, showRuntime } from './registry.js'
import { HTTP2_FAULTS, METRICS } from './table.js'

export interface ProcessState {
  /** Whether events can be taken now. */
  ready(): boolean
  usage: Listener['usage']
  readonly maxConnections: number
  /** Bytes. */
  readonly maxBodyMemory: number
}

/** Declares the metrics that belong to no pipeline. */
export function showProcess(metrics: ProcessMetrics, state: ProcessState): void {
  showRuntime(metrics.registry)
  metrics.sampled(METRICS.ready, {}, () => (state.ready() ? 1 : 0))
  metrics.sampled(METRICS.httpConnections, {}, () => state.usage().connections)
  metrics.sampled(METRICS.httpConnectionsLimit, {}, () => state.maxConnections)
  metrics.sampled(METRICS.httpBodyBytes, {}, () => state.usage().bodyBytes)
  metrics.sampled(METRICS.httpBodyLimitBytes, {}, () => state.maxBodyMemory)
}

/** Counts the connections that arrived at the limit. */
export function countRefused(metrics: MetricsRegistry): () => void {
  const refused = metrics.counter(METRICS.httpConnectionsRefusedTotal, {})
  return () => refused.inc()
}

/** Counts the connections of HTTP/2 that were closed for a fault of their sender. */
export function countHttp2Faults(metrics: MetricsRegistry): (fault: SessionFault) => void {
  const counter = (reason: SessionFault) => metrics.counter(METRICS.http2ConnectionsClosedTotal, { reason })
  const counters = new Map<SessionFault, ReturnType<typeof counter>>()
  for (const fault of HTTP2_FAULTS) counters.set(fault, counter(fault))
  return (fault) => counters.get(fault)?.inc()
}

/** The usual statuses are shown from the start, so that their rates are right from the first one on; others when they come up. */
const OF_PIPELINE = [200, 202, 400, 401, 413, 415, 422, 503]
const OF_NONE = [400, 404, 405, 408, 413, 431, 503]

/** Counts the responses on the paths of a pipeline; `none` for those that belong to no pipeline. */
export function countResponses(metrics: MetricsRegistry, pipeline: string): (status: number) => void {
  const counter = (status: number) =>
    metrics.counter(METRICS.httpResponsesTotal, {
      pipeline,
      code: String(status),
    })
  const usual = pipeline === 'none' ? OF_NONE : OF_PIPELINE
  const counters = new Map(usual.map((status) => [status, counter(status)]))
  return (status) => (counters.get(status) ?? counter(status)).inc()
}
