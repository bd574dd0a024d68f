import type { SecureContextOptions } from 'node:tls'
import type { Log } from '../contract/index.js'
import type { HandshakeFailure, Secure } from '../http/server.js'
import { onceAMinute } from '../lib/log-limits.js'
import { type Certificate, type CertificateFiles, readCertificate } from './read-certificate.js'

/** What a listener shows, and how it goes on when the files change. */
export interface ServedCertificate extends Secure {
  now(): Certificate
  /** Why what the files say is not what is used. */
  refused(): string | undefined
  /** Takes over what the files say, where they say something else and it can be used. */
  renew(): Promise<void>
  /** Says once a day that the certificate ends soon. */
  remind(): void
}

export interface ServedOptions {
  readonly files: CertificateFiles
  readonly log: Log
  /** Told of every attempt to take over what the files say. */
  readonly onRenewal: (result: 'success' | 'failure') => void
  readonly onFailure: (failure: HandshakeFailure) => void
}

const DAY = 24 * 60 * 60 * 1000
/** Short-lived certificates are always near their end: for them it is a share of their life. */
const SOON = { most: 14 * DAY, share: 0.1 }

const SAID: { readonly [failure in HandshakeFailure]: string } = {
  'plain-http': 'plain HTTP came to a port that speaks HTTPS',
  'client-certificate': 'a client was turned away: no certificate, or none that is trusted',
  'too-slow': 'a client did not agree on TLS in time',
  failed: 'a client could not agree on TLS',
}

/** Reads the files for the first time. Rejects with HG_TLS_CERTIFICATE where they cannot be used. */
export async function serveCertificate(options: ServedOptions): Promise<ServedCertificate> {
  const { files, log } = options
  let current = await readCertificate(files)
  let refused: string | undefined
  let remindedAt = 0
  let renewing = Promise.resolve()
  let use = (_: SecureContextOptions): void => {}

  const remind = (): void => {
    const now = Date.now()
    if (now < remindedAt + DAY) return
    const complaint = complaintOf(current, now)
    if (complaint === undefined) return
    remindedAt = now
    const until = new Date(current.until).toISOString()
    log.warn({ event: 'certificate-ends', until, file: files.cert.path }, complaint)
  }
  const take = async (): Promise<void> => {
    try {
      const next = await readCertificate(files)
      if (next.digest !== current.digest) {
        use(next.context)
        current = next
        options.onRenewal('success')
        const until = new Date(next.until).toISOString()
        log.info({ event: 'certificate-renewed', until }, 'the certificate was renewed')
        remindedAt = 0
      }
      refused = undefined
      remind()
    } catch (error) {
      const { message } = error as Error
      options.onRenewal('failure')
      refused = message
      log.error(
        { event: 'certificate-refused', code: 'HG_TLS_CERTIFICATE' },
        `the certificate was not renewed, the one before goes on: ${message}`,
      )
    }
  }
  remind()
  let detail = ''
  const say = (failure: HandshakeFailure) =>
    onceAMinute((count) => log.warn({ event: 'tls-failed', failure, count, detail }, SAID[failure]))
  const sayers = {
    'plain-http': say('plain-http'),
    'client-certificate': say('client-certificate'),
    'too-slow': say('too-slow'),
    failed: say('failed'),
  }
  return {
    clientCertificates: files.clientCa !== undefined,
    context: () => current.context,
    onRenewed(told) {
      use = told
    },
    onHandshakeFailed(failure, found) {
      options.onFailure(failure)
      detail = found
      sayers[failure]()
    },
    now: () => current,
    refused: () => refused,
    renew() {
      renewing = renewing.then(take)
      return renewing
    },
    remind,
  }
}

function complaintOf({ from, until }: Certificate, now: number): string | undefined {
  if (now < from) return `the certificate is valid only from ${new Date(from).toISOString()} on`
  if (now >= until) return 'the certificate has expired: senders refuse it'
  const left = until - now
  if (left > Math.min(SOON.most, SOON.share * (until - from))) return undefined
  const [count, unit] =
    left < 2 * DAY ? [Math.floor(left / 3_600_000), 'hours'] : [Math.floor(left / DAY), 'days']
  return `the certificate expires in ${count} ${unit}`
}
