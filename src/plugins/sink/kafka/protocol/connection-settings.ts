import { readFileSync } from 'node:fs'
import { type ConnectionOptions, rootCertificates } from 'node:tls'
import type { ClientConfig } from '../properties.js'

/** Credentials for SASL. */
export interface Sasl {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  readonly username: string
  readonly password: string
}

/** How our own connections log in at brokers, and the name under which these see them in their logs and quotas. */
export interface ConnectionSettings {
  readonly clientId: string
  readonly tls?: ConnectionOptions
  readonly sasl?: Sasl
}

const MECHANISMS: readonly string[] = [
  'PLAIN',
  'SCRAM-SHA-256',
  'SCRAM-SHA-512',
] satisfies Sasl['mechanism'][]

/** The certificates that the system trusts, in Linux distributions; librdkafka's `probe` looks there too. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
]

/** Properties that make TLS stricter than ours, or different: then we do not connect by ourselves. */
const BEYOND_US = /^ssl\.(crl|engine|providers|curves|sigalgs|cipher|ca\.certificate\.stores)|^https\.ca/

/** As librdkafka's properties ask for them, or, as a text, why only librdkafka can connect. */
export function connectionSettings({ global }: ClientConfig): ConnectionSettings | string {
  const protocol = (global['security.protocol'] ?? 'plaintext').toLowerCase()
  const odd = Object.keys(global).find((name) => BEYOND_US.test(name))
  if (protocol.endsWith('ssl') && odd !== undefined) return `${odd} is set`
  const mechanism = (global['sasl.mechanisms'] ?? global['sasl.mechanism'] ?? 'GSSAPI').toUpperCase()
  const { 'sasl.username': username = '', 'sasl.password': password = '' } = global
  const withSasl = protocol.startsWith('sasl')
  if (withSasl && !MECHANISMS.includes(mechanism)) return `the mechanism is ${mechanism}`
  try {
    return {
      clientId: global['client.id'] ?? 'headgate',
      ...(protocol.endsWith('ssl') && { tls: tlsOf(global) }),
      ...(withSasl && { sasl: { mechanism: mechanism as Sasl['mechanism'], username, password } }),
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function tlsOf(global: ClientConfig['global']): ConnectionOptions {
  const contents = (name: string): string | Buffer | undefined => {
    const location = global[`${name}.location`]
    return global[`${name}.pem`] ?? (location === undefined ? undefined : readFileSync(location))
  }
  const trusted = global['ssl.ca.location'] === 'probe' ? systemTrust() : contents('ssl.ca')
  const cert = contents('ssl.certificate')
  const key = contents('ssl.key')
  const pfx = contents('ssl.keystore')
  const passphrase = global[pfx === undefined ? 'ssl.key.password' : 'ssl.keystore.password']
  return {
    ...(trusted !== undefined && { ca: trusted }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(pfx !== undefined && { pfx }),
    ...(passphrase !== undefined && { passphrase }),
    rejectUnauthorized: global['enable.ssl.certificate.verification'] !== 'false',
    ...(global['ssl.endpoint.identification.algorithm'] === 'none' && {
      checkServerIdentity: () => undefined,
    }),
  }
}

function systemTrust(): string | string[] {
  for (const bundle of SYSTEM_BUNDLES) {
    try {
      return readFileSync(bundle, 'utf8')
    } catch {
      // The next one.
    }
  }
  return [...rootCertificates]
}
