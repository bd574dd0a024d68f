import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readCertificate } from '../../src/tls/certificate.js'
import { makePair, noOpenssl, openssl, read } from '../helpers/certificates.js'
import { temporaryDirectory } from '../helpers/context.js'

const named = (cert: string, key: string, clientCa?: string) => ({
  cert: { setting: 'HEADGATE_TLS_CERT', path: cert },
  key: { setting: 'HEADGATE_TLS_KEY', path: key },
  ...(clientCa !== undefined && { clientCa: { setting: 'HEADGATE_TLS_CLIENT_CA', path: clientCa } }),
})

describe.skipIf(noOpenssl !== undefined)('readCertificate', () => {
  test('returns how long the whole chain is valid', async () => {
    const folder = temporaryDirectory()
    const ca = makePair(folder, 'ca', { days: 10 })
    const own = makePair(folder, 'server', { by: ca, days: 20 })
    writeFileSync(own.cert, Buffer.concat([read(own).cert, read(ca).cert]))
    const { from, until } = await readCertificate(named(own.cert, own.key))
    expect(until - from).toBeLessThanOrEqual(10 * 86_400_000)
  })

  test.each<[string, (folder: string) => ReturnType<typeof named>, string]>([
    [
      'there is no file',
      (folder) => named(join(folder, 'no.crt'), makePair(folder, 'a').key),
      'HEADGATE_TLS_CERT names {}/no.crt: there is no such file.',
    ],
    [
      'it is a folder',
      (folder) => named(makePair(folder, 'a').cert, folder),
      'HEADGATE_TLS_KEY names {}: it is a folder.',
    ],
    [
      'the two files are exchanged',
      (folder) => {
        const { cert, key } = makePair(folder, 'a')
        return named(key, cert)
      },
      'HEADGATE_TLS_CERT names {}/a.key: it has no certificate in PEM form.',
    ],
    [
      'the key belongs to another certificate',
      (folder) => named(makePair(folder, 'a').cert, makePair(folder, 'b').key),
      'HEADGATE_TLS_KEY names {}/b.key: it is not the key of the certificate in {}/a.crt.',
    ],
    [
      'the chain begins with the authority',
      (folder) => {
        const ca = makePair(folder, 'ca')
        const own = makePair(folder, 'a', { by: ca })
        writeFileSync(own.cert, Buffer.concat([read(ca).cert, read(own).cert]))
        return named(own.cert, own.key)
      },
      'HEADGATE_TLS_KEY names {}/a.key: it is not the key of the certificate in {}/a.crt. The first certificate of {}/a.crt must be that of the server.',
    ],
    [
      'the key is encrypted',
      (folder) => {
        const { cert, key } = makePair(folder, 'a')
        openssl('pkey', '-in', key, '-aes256', '-passout', 'pass:word', '-out', join(folder, 'locked.key'))
        return named(cert, join(folder, 'locked.key'))
      },
      'HEADGATE_TLS_KEY names {}/locked.key: the key is encrypted',
    ],
    [
      'the key was cut short',
      (folder) => {
        const { cert, key } = makePair(folder, 'a')
        writeFileSync(key, read({ cert, key }).key.subarray(0, 100))
        return named(cert, key)
      },
      'HEADGATE_TLS_KEY names {}/a.key: the private key in it cannot be parsed.',
    ],
    [
      'the certificate is damaged',
      (folder) => {
        const { cert, key } = makePair(folder, 'a')
        writeFileSync(cert, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
        return named(cert, key)
      },
      'HEADGATE_TLS_CERT names {}/a.crt: a certificate in it cannot be parsed.',
    ],
    [
      'the authority is a key',
      (folder) => {
        const { cert, key } = makePair(folder, 'a')
        copyFileSync(key, join(folder, 'ca.crt'))
        return named(cert, key, join(folder, 'ca.crt'))
      },
      'HEADGATE_TLS_CLIENT_CA names {}/ca.crt: it has no certificate in PEM form.',
    ],
    [
      'the key is too short for TLS',
      (folder) => {
        const [cert, key] = [join(folder, 'a.crt'), join(folder, 'a.key')]
        openssl(
          'req',
          '-x509',
          '-newkey',
          'rsa:512',
          '-nodes',
          '-subj',
          '/CN=a',
          '-keyout',
          key,
          '-out',
          cert,
        )
        return named(cert, key)
      },
      'HEADGATE_TLS_CERT names {}/a.crt: error:0A00018F:SSL routines::ee key too small.',
    ],
  ])('names the file and the reason where %s', async (_what, files, message) => {
    const folder = temporaryDirectory()
    await expect(readCertificate(files(folder))).rejects.toMatchObject({
      code: 'HG_TLS_CERTIFICATE',
      message: expect.stringContaining(message.replaceAll('{}', folder)),
    })
  })
})
