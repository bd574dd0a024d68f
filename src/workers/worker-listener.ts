import type { Log } from '../contract/index.js'
import { Listener } from '../http/listener.js'
import { Networks } from '../lib/networks.js'
import { bytes } from '../lib/units.js'
import { countHttp2Faults, countRefused, countResponses } from '../metrics/process.js'
import type { ProcessMetrics } from '../metrics/registry.js'
import type { Certificates } from '../tls/certificates.js'
import { type StartMessage, shareOf } from './messages.js'

/** The listener of a worker, with its share of the limits of the process. */
export function workerListener(
  { settings, workers }: Pick<StartMessage, 'settings' | 'workers'>,
  metrics: ProcessMetrics,
  certificates: Pick<Certificates, 'intake'>,
  log: Log,
): Listener {
  return new Listener({
    host: settings.host,
    port: settings.port,
    maxConnections: shareOf(settings.maxConnections, workers),
    maxBodyMemory: shareOf(bytes(settings.maxBodyMemory), workers),
    onRefused: countRefused(metrics),
    ...(settings.proxyProtocol !== '' && { proxies: new Networks(settings.proxyProtocol.split(',')) }),
    secure: certificates.intake,
    http2: settings.http2 === 'on',
    ...(certificates.intake && { onHttp2Fault: countHttp2Faults(metrics) }),
    log,
    onResponse: countResponses(metrics, 'none'),
    sharedBy: workers,
  })
}
