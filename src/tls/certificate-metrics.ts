import type { MetricsRegistry } from '../metrics/registry.js'
import type { ServedCertificate } from './certificate.js'

/** What becomes of renewals, and of connections on which TLS was not agreed on. */
export function certificateCounters(metrics: MetricsRegistry, listener: string) {
  const renewals = (result: string) =>
    metrics.counter(
      'tls_certificate_reloads_total',
      'Attempts to take over a certificate whose files had changed, by result.',
      { listener, result },
    )
  const failures = (reason: string) =>
    metrics.counter('tls_handshakes_failed_total', 'Connections on which TLS was not agreed on, by reason.', {
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
    'tls_certificate_expiry_timestamp_seconds',
    'When the certificate that is used expires: the first of its chain.',
    { listener },
    () => certificate.now().until / 1000,
  )
  metrics.sampled(
    'tls_certificate_last_reload_successful',
    '1 where the files of the certificate, as they were last looked at, are what is used.',
    { listener },
    () => (certificate.refused() === undefined ? 1 : 0),
  )
}
