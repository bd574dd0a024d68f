import { resolve } from 'node:path'
import type { Log } from '../contract/index.js'
import { FileWatch } from '../lib/file-watch.js'
import type { MetricsRegistry } from '../metrics/registry.js'
import { METRICS } from '../metrics/table.js'
import { SETTINGS, type Settings } from '../process/settings.js'
import { type CertificateFiles, ServedCertificate } from './certificate.js'

/** The certificates of a process. */
export interface Certificates {
  readonly intake: ServedCertificate | undefined
  readonly admin: ServedCertificate | undefined
  /** Loads their files again. */
  renew(): Promise<void>
  /** For /ready; empty if there are none. */
  details(): { readonly certificates?: object }
  /** From now on loads their files again when they change. */
  watch(): readonly FileWatch[]
}

export interface CertificatesOptions {
  readonly settings: Settings
  readonly metrics: MetricsRegistry
  log(fields: { readonly listener: string }): Log
}

/** Reads the certificates that the settings name. Rejects with HG_TLS_CERTIFICATE if one cannot be used. */
export async function openCertificates({
  settings,
  metrics,
  log,
}: CertificatesOptions): Promise<Certificates> {
  const open = (listener: string, files: CertificateFiles | undefined) =>
    files && openCertificate(listener, files, metrics, log({ listener }))
  const intakeFiles = filesOf(settings, 'tlsCert', 'tlsKey', 'tlsClientCa')
  const adminFiles = filesOf(settings, 'adminTlsCert', 'adminTlsKey', 'adminTlsClientCa')
  const intake = await open('intake', intakeFiles)
  const admin = await open('admin', adminFiles)
  const served = [
    { listener: 'intake', files: intakeFiles, certificate: intake },
    { listener: 'admin', files: adminFiles, certificate: admin },
  ].flatMap(({ listener, files, certificate }) =>
    files && certificate ? [{ listener, files, certificate }] : [],
  )
  const shown = (certificate: ServedCertificate) => ({
    expires: new Date(certificate.now().until).toISOString(),
    ...(certificate.refused() !== undefined && { refused: certificate.refused() }),
  })
  return {
    intake,
    admin,
    renew: async () => void (await Promise.all(served.map(({ certificate }) => certificate.renew()))),
    details: () =>
      served.length === 0
        ? {}
        : {
            certificates: Object.fromEntries(
              served.map(({ listener, certificate }) => [listener, shown(certificate)]),
            ),
          },
    watch: () =>
      served.map(
        ({ files, certificate }) =>
          new FileWatch({
            paths: () => Object.values(files).map(({ path }) => path),
            onChange: () => void certificate.renew(),
            onRoutineCheck: () => certificate.remind(),
          }),
      ),
  }
}

type PathSetting = 'tlsCert' | 'tlsKey' | 'tlsClientCa' | 'adminTlsCert' | 'adminTlsKey' | 'adminTlsClientCa'

function filesOf(
  settings: Settings,
  cert: PathSetting,
  key: PathSetting,
  clientCa: PathSetting,
): CertificateFiles | undefined {
  if (settings[cert] === '') return undefined
  const named = (name: PathSetting) => ({ setting: SETTINGS[name].env, path: resolve(settings[name]) })
  return {
    cert: named(cert),
    key: named(key),
    ...(settings[clientCa] !== '' && { clientCa: named(clientCa) }),
  }
}

async function openCertificate(
  listener: string,
  files: CertificateFiles,
  metrics: MetricsRegistry,
  log: Log,
): Promise<ServedCertificate> {
  const { renewed, failed } = certificateCounters(metrics, listener)
  const certificate = await ServedCertificate.load({
    files,
    log,
    onRenewal: (result) => renewed[result].inc(),
    onFailure: (failure) => failed[failure].inc(),
  })
  showCertificate(metrics, listener, certificate)
  return certificate
}

/** Counters of renewals and of failed handshakes. */
function certificateCounters(metrics: MetricsRegistry, listener: string) {
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

function showCertificate(
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
