import type { MetricsRegistry } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import type { ServedCertificate } from './certificate.js'

/** What becomes of renewals, and of connections on which TLS was not agreed on. */
export function certificateCounters(metrics: MetricsRegistry, listener: string) {
  const renewals = (result: string) =>
    metrics.counter(METRICS.tlsCertificateReloadsTotal, { listener, result })
  const failures = (reason: string) =>
    metrics.counter(METRICS.tlsHandshakesFailedTotal, {
      listener,
      reason,
    })
  return {
    renewed: { success: renewals('success'), failure: renewals('failure') },
    failed: {
      'plain-http': failures('plain-http'),
      'client-certificate': failures('client-certificate'),
      'too-slow': failures('too-slow'),
      failed: failures('failed'),
    },
  }
}

export function showCertificate(
  metrics: MetricsRegistry,
  listener: string,
  certificate: Pick<ServedCertificate, 'now' | 'refused'>,
): void {
  metrics.sampled(
    METRICS.tlsCertificateExpiryTimestampSeconds,
    { listener },
    () => certificate.now().until / 1000,
  )
  metrics.sampled(METRICS.tlsCertificateLastReloadSuccessful, { listener }, () =>
    certificate.refused() === undefined ? 1 : 0,
  )
}
