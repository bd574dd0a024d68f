import { createPrivateKey, hash, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { reason } from '../config/files.js'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import type { HandshakeFailure, Secure } from '../http/server.js'
import { SerialQueue } from '../lib/async.js'
import { onceAMinute } from '../lib/rate.js'

export interface ServedOptions {
  readonly files: CertificateFiles
  readonly log: Log
  /** Called after every attempt to load the files again. */
  readonly onRenewal: (result: 'success' | 'failure') => void
  readonly onFailure: (failure: HandshakeFailure) => void
}

const DAY = 24 * 60 * 60 * 1000
/** Short-lived certificates are always near their end: for them it is a share of their lifetime. */
const SOON = { most: 14 * DAY, share: 0.1 }

const FAILURES: { readonly [failure in HandshakeFailure]: string } = {
  'plain-http': 'a client sent plain HTTP to a port that speaks HTTPS',
  'client-certificate': 'a client was rejected: it has no certificate, or an untrusted one',
  'too-slow': 'a TLS handshake did not end in time',
  failed: 'a TLS handshake failed',
}

/** The certificate of a listener, and its renewal when its files change. */
export class ServedCertificate implements Secure {
  readonly clientCertificates: boolean
  readonly #options: ServedOptions
  readonly #renewals = new SerialQueue()
  readonly #logFailure: { readonly [failure in HandshakeFailure]: () => void }
  #current: Certificate
  #refused: string | undefined
  #remindedAt = 0
  #use = (_: SecureContextOptions): void => {}
  #detail = ''

  private constructor(options: ServedOptions, current: Certificate) {
    this.clientCertificates = options.files.clientCa !== undefined
    this.#options = options
    this.#current = current
    const logger = (failure: HandshakeFailure) =>
      onceAMinute((count) =>
        options.log.warn({ event: 'tls-failed', failure, count, detail: this.#detail }, FAILURES[failure]),
      )
    this.#logFailure = {
      'plain-http': logger('plain-http'),
      'client-certificate': logger('client-certificate'),
      'too-slow': logger('too-slow'),
      failed: logger('failed'),
    }
    this.remind()
  }

  /** Reads the files for the first time. Rejects with HG_TLS_CERTIFICATE if they cannot be used. */
  static async load(options: ServedOptions): Promise<ServedCertificate> {
    return new ServedCertificate(options, await readCertificate(options.files))
  }

  context(): SecureContextOptions {
    return this.#current.context
  }

  onRenewed(use: (context: SecureContextOptions) => void): void {
    this.#use = use
  }

  onHandshakeFailed(failure: HandshakeFailure, detail: string): void {
    this.#options.onFailure(failure)
    this.#detail = detail
    this.#logFailure[failure]()
  }

  now(): Certificate {
    return this.#current
  }

  /** The reason why the content of the files is not in use; undefined if it is. */
  refused(): string | undefined {
    return this.#refused
  }

  /** Uses the content of the files if it has changed and is valid. */
  renew(): Promise<void> {
    return this.#renewals.run(() => this.#renew())
  }

  /** Warns once a day that the certificate expires soon. */
  remind(): void {
    const now = Date.now()
    if (now < this.#remindedAt + DAY) return
    const warning = expiryWarning(this.#current, now)
    if (warning === undefined) return
    this.#remindedAt = now
    const { log, files } = this.#options
    const until = new Date(this.#current.until).toISOString()
    log.warn({ event: 'certificate-ends', until, file: files.cert.path }, warning)
  }

  async #renew(): Promise<void> {
    const { files, log, onRenewal } = this.#options
    try {
      const next = await readCertificate(files)
      if (next.digest !== this.#current.digest) {
        this.#use(next.context)
        this.#current = next
        onRenewal('success')
        const until = new Date(next.until).toISOString()
        log.info({ event: 'certificate-renewed', until }, 'the certificate was renewed')
        this.#remindedAt = 0
      }
      this.#refused = undefined
      this.remind()
    } catch (error) {
      const { message } = error as Error
      onRenewal('failure')
      this.#refused = message
      log.error(
        { event: 'certificate-refused', code: 'HG_TLS_CERTIFICATE' },
        `the certificate was not renewed, the previous one stays in use: ${message}`,
      )
    }
  }
}

function expiryWarning({ from, until }: Certificate, now: number): string | undefined {
  if (now < from) return `the certificate is valid only from ${new Date(from).toISOString()} on`
  if (now >= until) return 'the certificate has expired: senders reject it'
  const left = until - now
  if (left > Math.min(SOON.most, SOON.share * (until - from))) return undefined
  const [count, unit] =
    left < 2 * DAY ? [Math.floor(left / 3_600_000), 'hours'] : [Math.floor(left / DAY), 'days']
  return `the certificate expires in ${count} ${unit}`
}

/** A file, and the setting that names it. */
export interface NamedFile {
  readonly setting: string
  readonly path: string
}

export interface CertificateFiles {
  /** PEM: the certificate of the server first, then those that signed it. */
  readonly cert: NamedFile
  /** PEM, not encrypted. */
  readonly key: NamedFile
  /** PEM: the authorities that sign the certificates of clients. */
  readonly clientCa?: NamedFile
}

export interface Certificate {
  readonly context: SecureContextOptions
  /** The time during which all certificates of the chain are valid, in milliseconds since 1970. */
  readonly from: number
  readonly until: number
  /** Of the content of the files. */
  readonly digest: string
}

/** Reads a certificate and its key. Rejects with HG_TLS_CERTIFICATE, file and reason, if they cannot be used. */
export async function readCertificate({ cert, key, clientCa }: CertificateFiles): Promise<Certificate> {
  const certText = await contentOf(cert)
  const keyText = await contentOf(key)
  const caText = clientCa === undefined ? undefined : await contentOf(clientCa)
  const chain = certificatesIn(certText, cert)
  if (clientCa !== undefined) certificatesIn(caText ?? '', clientCa)
  const [own] = chain
  if (own?.checkPrivateKey(privateKeyIn(keyText, key)) !== true) {
    const first = chain.length > 1 ? ` The first certificate of ${cert.path} must be that of the server.` : ''
    throw unusable(key, `it is not the key of the certificate in ${cert.path}.${first}`)
  }
  const context = { cert: certText, key: keyText, ...(caText !== undefined && { ca: caText }) }
  try {
    createSecureContext(context)
  } catch (error) {
    throw unusable(cert, `${(error as Error).message}.`)
  }
  return {
    context,
    from: Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom))),
    until: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))),
    digest: hash('sha256', [certText, keyText, caText].join('\0')),
  }
}

async function contentOf(file: NamedFile): Promise<string> {
  try {
    return await readFile(file.path, 'utf8')
  } catch (error) {
    throw unusable(file, `${reason(error)}.`)
  }
}

function certificatesIn(text: string, file: NamedFile): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw unusable(file, 'it has no certificate in PEM form.')
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    throw unusable(file, 'a certificate in it cannot be parsed.')
  }
}

function privateKeyIn(text: string, file: NamedFile): KeyObject {
  if (text.includes('ENCRYPTED')) {
    throw unusable(
      file,
      'the key is encrypted, and Headgate cannot ask for its passphrase. Decrypt it with "openssl pkey", and protect the file by its permissions.',
    )
  }
  if (!text.includes('PRIVATE KEY-----')) throw unusable(file, 'it has no private key in PEM form.')
  try {
    return createPrivateKey(text)
  } catch {
    throw unusable(file, 'the private key in it cannot be parsed.')
  }
}

const unusable = ({ setting, path }: NamedFile, why: string): HeadgateError =>
  new HeadgateError('HG_TLS_CERTIFICATE', `${setting} names ${path}: ${why}`)
