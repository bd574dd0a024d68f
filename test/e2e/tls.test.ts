import { renameSync, writeFileSync } from 'node:fs'
import { type ConnectionOptions, connect } from 'node:tls'
import { Agent, request } from 'undici'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { makePair, noOpenssl, type Pair, read } from '../helpers/certificates.js'
import { temporaryDirectory } from '../helpers/context.js'

const ENVIRONMENT = {
  KAFKA_BROKERS: '127.0.0.1:1',
  CXONE_BASE_URL: 'http://127.0.0.1:1',
  CXONE_CLIENT_ID: 'id',
  CXONE_CLIENT_SECRET: 'secret',
  WEBHOOK_TOKEN: 'token',
}

async function headgateWith(env: { readonly [name: string]: string }) {
  const headgate = await startHeadgate({
    config: 'plugins.config.json',
    until: 'listening',
    env: { ...ENVIRONMENT, ...env },
  })
  onTestFinished(() => {
    headgate.kill('SIGKILL')
    return headgate.exited.then(() => {})
  })
  return headgate
}

function clientOf(
  connectOptions: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>,
  allowH2 = false,
) {
  const dispatcher = new Agent({ connect: connectOptions, allowH2 })
  onTestFinished(() => dispatcher.destroy())
  return async (url: string, method: 'GET' | 'POST' = 'GET') => {
    const { statusCode, headers, body } = await request(url, { method, dispatcher })
    return { status: statusCode, keepAlive: headers['keep-alive'], text: await body.text() }
  }
}

async function connectionTo(url: string) {
  const socket = connect({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
  })
  onTestFinished(() => void socket.destroy())
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  return socket
}

const nameShownAt = async (url: string) => (await connectionTo(url)).getPeerCertificate().subject.CN
const protocolAt = async (url: string) => (await connectionTo(url)).alpnProtocol

describe.skipIf(noOpenssl !== undefined)('Headgate with certificates', () => {
  test.each([0, 2])(
    'speaks HTTPS to senders, who show certificates, and to operators, and shows when they expire, with %i workers',
    async (workers) => {
      const folder = temporaryDirectory()
      const [intake, admin, ca] = [
        makePair(folder, 'intake'),
        makePair(folder, 'admin'),
        makePair(folder, 'ca'),
      ]
      const headgate = await headgateWith({
        HEADGATE_TLS_CERT: intake.cert,
        HEADGATE_TLS_KEY: intake.key,
        HEADGATE_TLS_CLIENT_CA: ca.cert,
        HEADGATE_ADMIN_TLS_CERT: admin.cert,
        HEADGATE_ADMIN_TLS_KEY: admin.key,
        HEADGATE_WORKERS: String(workers),
      })
      const certificates = { ca: read(intake).cert, ...read(makePair(folder, 'sender', { by: ca })) }
      const [sender, overHttp2] = [clientOf(certificates), clientOf(certificates, true)]
      const stranger = clientOf({ ca: read(intake).cert })
      const operator = clientOf({ ca: read(admin).cert })
      // Refused by its token, and so answered.
      expect((await sender(`${headgate.intake}/webhook/cxone/data-actions`, 'POST')).status).toBe(401)
      // HTTP/2 has no such header.
      expect(await overHttp2(`${headgate.intake}/webhook/cxone/data-actions`, 'POST')).toMatchObject({
        status: 401,
        keepAlive: undefined,
      })
      expect(await protocolAt(headgate.admin)).toBe('http/1.1')
      await expect(stranger(`${headgate.intake}/webhook/cxone/data-actions`, 'POST')).rejects.toThrow()
      expect(JSON.parse((await operator(`${headgate.admin}/ready`)).text)).toMatchObject({
        certificates: { intake: { expires: expect.any(String) }, admin: { expires: expect.any(String) } },
      })
      await vi.waitUntil(async () => {
        const { text } = await operator(`${headgate.admin}/metrics`)
        expect(text).toMatch(
          /^headgate_tls_certificate_expiry_timestamp_seconds\{listener="intake"\} 1\d{9}$/m,
        )
        expect(text).toMatch(/^headgate_tls_certificate_last_reload_successful\{listener="admin"\} 1$/m)
        return text.includes(
          'headgate_tls_handshakes_failed_total{listener="intake",reason="client-certificate"} 1\n',
        )
      })
    },
  )

  test('takes over a certificate that changes, by itself and on SIGHUP, and none that cannot be used', async () => {
    const folder = temporaryDirectory()
    const pair = makePair(folder, 'first')
    const headgate = await headgateWith({
      HEADGATE_TLS_CERT: pair.cert,
      HEADGATE_TLS_KEY: pair.key,
      HEADGATE_ADMIN_TLS_CERT: pair.cert,
      HEADGATE_ADMIN_TLS_KEY: pair.key,
      HEADGATE_HTTP2: 'off',
    })
    expect(await protocolAt(headgate.intake)).toBe('http/1.1')
    const shown = async (name: string) =>
      (await nameShownAt(headgate.intake)) === name && (await nameShownAt(headgate.admin)) === name
    const put = ({ cert, key }: Pair) => {
      renameSync(cert, pair.cert)
      renameSync(key, pair.key)
    }
    expect(await shown('first')).toBe(true)
    put(makePair(folder, 'second'))
    await vi.waitUntil(() => shown('second'), { timeout: 10_000 })

    writeFileSync(pair.key, 'no key')
    const refused = () => headgate.lines.filter((line) => line.includes('"certificate-refused"')).length
    await vi.waitUntil(() => refused() >= 2, { timeout: 10_000 })
    const before = refused()
    headgate.kill('SIGHUP')
    await vi.waitUntil(() => refused() >= before + 2, { timeout: 10_000 })
    expect(await shown('second')).toBe(true)
    const operator = clientOf({ rejectUnauthorized: false })
    expect(JSON.parse((await operator(`${headgate.admin}/ready`)).text)).toMatchObject({
      certificates: { intake: { refused: expect.stringContaining(pair.key) } },
    })
  })

  test('does not start with a certificate that cannot be used, and says which file it is and why', async () => {
    const folder = temporaryDirectory()
    const { cert } = makePair(folder, 'server')
    const { key } = makePair(folder, 'other')
    await expect(headgateWith({ HEADGATE_TLS_CERT: cert, HEADGATE_TLS_KEY: key })).rejects.toThrow(
      `HEADGATE_TLS_KEY names ${key}: it is not the key of the certificate in ${cert}.`,
    )
    await expect(headgateWith({ HEADGATE_ADMIN_TLS_CERT: cert })).rejects.toThrow(
      'HEADGATE_ADMIN_TLS_CERT needs HEADGATE_ADMIN_TLS_KEY too.',
    )
  })
})
