import { createPrivateKey, hash, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { reason } from '../config/file-reasons.js'
import { HeadgateError } from '../contract/errors.js'

/** A file, and the setting that names it. */
export interface NamedFile {
  readonly setting: string
  readonly path: string
}

export interface CertificateFiles {
  /** PEM: the certificate of the server first, then those that vouch for it. */
  readonly cert: NamedFile
  /** PEM, not encrypted. */
  readonly key: NamedFile
  /** PEM: who vouches for the certificates of clients. */
  readonly clientCa?: NamedFile
}

export interface Certificate {
  readonly context: SecureContextOptions
  /** When all certificates of the chain are valid, in milliseconds since 1970. */
  readonly from: number
  readonly until: number
  /** Of what the files say. */
  readonly digest: string
}

/** Reads a certificate and its key. Rejects with HG_TLS_CERTIFICATE where they cannot be used, naming file and reason. */
export async function readCertificate({ cert, key, clientCa }: CertificateFiles): Promise<Certificate> {
  const certText = await contentOf(cert)
  const keyText = await contentOf(key)
  const caText = clientCa === undefined ? undefined : await contentOf(clientCa)
  const chain = certificatesIn(certText, cert)
  if (clientCa !== undefined) certificatesIn(caText ?? '', clientCa)
  const [own] = chain
  if (own?.checkPrivateKey(privateKeyIn(keyText, key)) !== true) {
    const first =
      chain.length > 1 ? ` The first certificate of ${cert.path} has to be that of the server.` : ''
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
  if (blocks.length === 0) throw unusable(file, 'it holds no certificate in PEM form.')
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    throw unusable(file, 'a certificate in it cannot be read.')
  }
}

function privateKeyIn(text: string, file: NamedFile): KeyObject {
  if (text.includes('ENCRYPTED')) {
    throw unusable(
      file,
      'the key is encrypted, and there is nobody to ask for its passphrase. Decrypt it with "openssl pkey", and guard the file by its permissions.',
    )
  }
  if (!text.includes('PRIVATE KEY-----')) throw unusable(file, 'it holds no private key in PEM form.')
  try {
    return createPrivateKey(text)
  } catch {
    throw unusable(file, 'the private key in it cannot be read.')
  }
}

const unusable = ({ setting, path }: NamedFile, why: string): HeadgateError =>
  new HeadgateError('HG_TLS_CERTIFICATE', `${setting} names ${path}: ${why}`)
