import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The reason why certificates cannot be made here: node:crypto makes none. */
export const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? undefined : 'there is no openssl'

export interface Pair {
  /** Paths. */
  readonly cert: string
  readonly key: string
}

export interface PairOptions {
  /** Its issuer; itself if absent. */
  readonly by?: Pair
  /** From now on; negative if it has expired. */
  readonly days?: number
}

/** Makes a certificate for localhost, which can also issue others, and its key, in `folder`. */
export function makePair(folder: string, name: string, { by, days = 300 }: PairOptions = {}): Pair {
  const pair = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
  const request = join(folder, `${name}.csr`)
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', pair.key)
  const extensions = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const subject = ['-subj', `/CN=${name}`, '-key', pair.key]
  if (by === undefined) {
    openssl('req', '-x509', '-new', ...subject, ...extensions, '-days', String(days), '-out', pair.cert)
  } else {
    openssl('req', '-new', ...subject, ...extensions, '-out', request)
    const signed = ['-CA', by.cert, '-CAkey', by.key, '-CAcreateserial', '-copy_extensions', 'copyall']
    openssl('x509', '-req', '-in', request, ...signed, '-days', String(days), '-out', pair.cert)
  }
  return pair
}

export const openssl = (...args: readonly string[]): void =>
  void execFileSync('openssl', args, { stdio: 'pipe' })

/** As TLS options. */
export const read = ({ cert, key }: Pair) => ({ cert: readFileSync(cert), key: readFileSync(key) })
