import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as secure, type TLSSocket } from 'node:tls'
import { Agent, type Dispatcher, request } from 'undici'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { HandshakeFailure } from '../../src/http/server.js'
import { FileWatch } from '../../src/lib/file-watch.js'
import { ServedCertificate } from '../../src/tls/certificate.js'
import { makePair, noOpenssl, type Pair, read } from '../helpers/certificates.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'
import { rawConnection, rawRequest, rawSecureConnection } from '../helpers/raw-connection.js'
import { until } from '../helpers/until.js'
import { echo, listen } from '../http/setup.js'

const named = ({ cert, key }: Pair, clientCa?: string) => ({
  cert: { setting: 'HEADGATE_TLS_CERT', path: cert },
  key: { setting: 'HEADGATE_TLS_KEY', path: key },
  ...(clientCa !== undefined && { clientCa: { setting: 'HEADGATE_TLS_CLIENT_CA', path: clientCa } }),
})

async function serve(pair: Pair, clientCa?: string) {
  const { log, lines } = testContext()
  const renewals: string[] = []
  const failures: HandshakeFailure[] = []
  const certificate = await ServedCertificate.load({
    files: named(pair, clientCa),
    log,
    onRenewal: (result) => renewals.push(result),
    onFailure: (failure) => failures.push(failure),
  })
  return { certificate, lines, renewals, failures }
}

async function listening(pair: Pair, clientCa?: string, timeouts = {}) {
  const served = await serve(pair, clientCa)
  return { ...served, ...(await listen(echo().handler, { secure: served.certificate, timeouts })), ...served }
}

/** A connection of its own for each request. */
async function post(url: string, tls: Agent.Options['connect']): Promise<Dispatcher.ResponseData> {
  const dispatcher = new Agent({ connect: { servername: 'localhost', ...tls } })
  onTestFinished(() => dispatcher.destroy())
  const response = await request(`${url}/in`, { method: 'POST', body: 'hello', dispatcher })
  await response.body.dump()
  return response
}

/** The name of the certificate that is shown to a new connection. */
async function shownBy(port: number): Promise<string | string[] | undefined> {
  const socket: TLSSocket = secure({ host: '127.0.0.1', port, rejectUnauthorized: false })
  onTestFinished(() => void socket.destroy())
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  return socket.getPeerCertificate().subject.CN
}

const over = (pair: Pair, { cert, key }: Pair): void => {
  copyFileSync(cert, pair.cert)
  copyFileSync(key, pair.key)
}

describe.skipIf(noOpenssl !== undefined)('a listener with a certificate', () => {
  test('serves clients that trust it, by TLS 1.2 and 1.3 and nothing older', async () => {
    const folder = temporaryDirectory()
    const ca = makePair(folder, 'ca')
    const { url, failures } = await listening(makePair(folder, 'server', { by: ca }))
    expect(url).toMatch(/^https:/)
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const tls = { ca: read(ca).cert, minVersion: version, maxVersion: version }
      expect((await post(url, tls)).statusCode).toBe(200)
    }
    const old = { ca: read(ca).cert, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const
    await expect(post(url, { ...old, ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow('protocol version')
    await expect(post(url, {})).rejects.toThrow('unable to verify')
    expect(failures).toEqual(['failed'])
  })

  test('tells a client that sends plain HTTP what to do, and keeps running', async () => {
    const pair = makePair(temporaryDirectory(), 'server')
    const { port, url, failures, lines } = await listening(pair)
    const plain = await rawConnection(port)
    plain.send(rawRequest('POST', '/in', { 'content-length': 2 }, 'hi'))
    expect(await plain.closed()).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[\s\S]*HG_TLS_EXPECTED/)
    expect(failures).toEqual(['plain-http'])
    expect(lines).toMatchObject([{ level: 'warn', fields: { failure: 'plain-http', count: 1 } }])
    expect((await post(url, { ca: read(pair).cert })).statusCode).toBe(200)
  })

  test('survives clients that send plain HTTP and do not wait for the response', async () => {
    const pair = makePair(temporaryDirectory(), 'server')
    const { port, url, listener } = await listening(pair)
    const gone = Array.from({ length: 200 }, (_, index) => {
      const plain: Socket = connect(port, '127.0.0.1', () => {
        plain.write(rawRequest('POST', '/in', { 'content-length': 100_000 }, 'x'.repeat(100_000)))
        if (index % 2 === 0) plain.resetAndDestroy()
        else plain.destroy()
      })
      plain.on('error', () => {})
      return new Promise((resolve) => plain.once('close', resolve))
    })
    await Promise.all(gone)
    await until(() => listener.usage().connections === 0)
    expect((await post(url, { ca: read(pair).cert })).statusCode).toBe(200)
  })

  test('closes a connection whose handshake does not end in time, and one that sends garbage', async () => {
    const pair = makePair(temporaryDirectory(), 'server')
    const { port, failures, listener } = await listening(pair, undefined, { headers: 50 })
    expect(await (await rawConnection(port)).closed()).toBe('')
    const garbage = await rawConnection(port)
    garbage.send('\x16\x03\x01\x00\x02\x01\xff\xff\xff\xff\xff')
    await garbage.closed()
    await until(() => listener.usage().connections === 0)
    expect(failures).toEqual(['too-slow', 'failed'])
  })

  test('does not count clients that connect and leave, as health checks do', async () => {
    const pair = makePair(temporaryDirectory(), 'server')
    const { port, url, failures, lines, listener } = await listening(pair)
    const check: Socket = connect(port, '127.0.0.1', () => check.end())
    await new Promise((resolve) => check.once('close', resolve))
    const reset: Socket = connect(port, '127.0.0.1', () => reset.resetAndDestroy())
    await new Promise((resolve) => reset.once('close', resolve))
    expect((await post(url, { ca: read(pair).cert })).statusCode).toBe(200)
    await until(() => listener.usage().connections <= 1)
    expect([failures, lines]).toEqual([[], []])
  })

  test('cuts connections without a finished handshake on closeNow', async () => {
    const { port, listener } = await listening(makePair(temporaryDirectory(), 'server'))
    const silent = await rawConnection(port)
    await until(() => listener.usage().connections === 1)
    listener.closeNow()
    await Promise.all([silent.closed(), listener.close()])
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'with an authority for clients, it takes only those that have a certificate of it (%s)',
    async (version) => {
      const folder = temporaryDirectory()
      const server = makePair(folder, 'server')
      const [ours, others] = [makePair(folder, 'ours'), makePair(folder, 'others')]
      const { url, failures, statuses, lines } = await listening(server, ours.cert)
      const tls = { ca: read(server).cert, minVersion: version, maxVersion: version }
      const client = read(makePair(folder, 'client', { by: ours }))
      expect((await post(url, { ...tls, ...client })).statusCode).toBe(200)

      const late = read(makePair(folder, 'late', { by: ours, days: -1 }))
      for (const wrong of [{}, read(makePair(folder, 'stranger', { by: others })), late])
        await expect(post(url, { ...tls, ...wrong })).rejects.toThrow()
      await until(() => failures.length === 3)
      expect(failures).toEqual(Array(3).fill('client-certificate'))
      expect(statuses).toEqual({ pipeline: [200], nobody: [] })
      expect(lines).toMatchObject([{ fields: { failure: 'client-certificate', count: 1 } }])
    },
  )
})

describe.skipIf(noOpenssl !== undefined)('a certificate that changes', () => {
  test('is used for new connections; open ones stay open', async () => {
    const folder = temporaryDirectory()
    const pair = makePair(folder, 'first')
    const { certificate, port, renewals, lines } = await listening(pair)
    const open = await rawSecureConnection(port, { ca: read(pair).cert })
    expect(await shownBy(port)).toBe('first')

    over(pair, makePair(folder, 'second', { days: 100 }))
    await certificate.renew()
    expect(await shownBy(port)).toBe('second')
    open.send(rawRequest('POST', '/in', { 'content-length': 2 }, 'hi'))
    await open.until((text) => text.endsWith('\r\n\r\nhi'))
    expect(renewals).toEqual(['success'])
    expect(lines).toMatchObject([{ level: 'info', fields: { event: 'certificate-renewed' } }])
    expect(certificate.now().until).toBeLessThan(Date.now() + 101 * 86_400_000)
    await certificate.renew()
    expect(renewals).toEqual(['success'])
  })

  test('keeps the previous one in use, and logs it, while the new one is invalid', async () => {
    const folder = temporaryDirectory()
    const pair = makePair(folder, 'first')
    const { certificate, port, renewals, lines } = await listening(pair)
    const second = makePair(folder, 'second')
    copyFileSync(second.cert, pair.cert)
    await certificate.renew()
    expect(await shownBy(port)).toBe('first')
    expect(certificate.refused()).toContain('it is not the key of the certificate')
    expect(lines).toMatchObject([{ level: 'error', message: expect.stringContaining(pair.key) }])

    copyFileSync(second.key, pair.key)
    await certificate.renew()
    expect(await shownBy(port)).toBe('second')
    expect(certificate.refused()).toBeUndefined()
    expect(renewals).toEqual(['failure', 'success'])
  })

  test('replaces the authorities of clients, too: a session of a client that is no longer trusted is not resumed', async () => {
    const folder = temporaryDirectory()
    const server = makePair(folder, 'server')
    const [before, after] = [makePair(folder, 'before'), makePair(folder, 'after')]
    const clientCa = join(folder, 'clients.crt')
    copyFileSync(before.cert, clientCa)
    const { certificate, url, port } = await listening(server, clientCa)
    const tls = { ca: read(server).cert, maxVersion: 'TLSv1.2' as const }
    const client = read(makePair(folder, 'client', { by: before }))
    const socket = secure({ host: '127.0.0.1', port, servername: 'localhost', ...tls, ...client })
    onTestFinished(() => void socket.destroy())
    const session = await new Promise<Buffer>((resolve) => socket.once('session', resolve))
    expect((await post(url, { ...tls, ...client, session })).statusCode).toBe(200)

    copyFileSync(after.cert, clientCa)
    await certificate.renew()
    await expect(post(url, { ...tls, ...client, session })).rejects.toThrow()
    const newer = read(makePair(folder, 'newer', { by: after }))
    expect((await post(url, { ...tls, ...newer })).statusCode).toBe(200)
  })

  test('is found when Kubernetes replaces the symbolic link', async () => {
    const folder = temporaryDirectory()
    const put = (name: string) => {
      const at = join(folder, name)
      mkdirSync(at)
      const { cert, key } = makePair(folder, `of-${name}`)
      renameSync(cert, join(at, 'tls.crt'))
      renameSync(key, join(at, 'tls.key'))
      symlinkSync(name, join(folder, '..data-new'))
      renameSync(join(folder, '..data-new'), join(folder, '..data'))
    }
    put('one')
    const pair = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
    symlinkSync('..data/tls.crt', pair.cert)
    symlinkSync('..data/tls.key', pair.key)
    const { certificate, port } = await listening(pair)
    const looked = vi.fn(() => void certificate.renew())
    const watch = new FileWatch({ paths: () => Object.values(pair), onChange: looked, checkEvery: 100 })
    onTestFinished(() => watch.close())
    await until(() => looked.mock.calls.length > 0)
    put('two')
    await until(async () => (await shownBy(port)) === 'of-two')
  })
})

describe.skipIf(noOpenssl !== undefined)('the end of a certificate', () => {
  test.each([
    [300, undefined],
    [20, undefined],
    [-1, 'the certificate has expired: senders reject it'],
  ])('of %i days is spoken of at start where it matters', async (days, message) => {
    const folder = temporaryDirectory()
    const { lines } = await serve(makePair(folder, 'server', { by: makePair(folder, 'ca'), days }))
    expect(lines.map((line) => line.message)).toEqual(message === undefined ? [] : [message])
  })

  test('is logged once a day when it is near', async () => {
    const { certificate, lines } = await serve(makePair(temporaryDirectory(), 'server', { days: 300 }))
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const said = (day: number) => {
      vi.setSystemTime(certificate.now().from + day * 86_400_000)
      certificate.remind()
      certificate.remind()
      return lines.splice(0).map(({ message }) => message)
    }
    expect(said(280)).toEqual([])
    expect(said(290)).toEqual(['the certificate expires in 10 days'])
    expect(said(290.5)).toEqual([])
    expect(said(299)).toEqual(['the certificate expires in 24 hours'])
    expect(said(300)).toEqual(['the certificate has expired: senders reject it'])
  })

  test('is not logged while the files hold an invalid certificate, but the reason is', async () => {
    const pair = makePair(temporaryDirectory(), 'server')
    const { certificate, lines } = await serve(pair)
    writeFileSync(pair.cert, '')
    await certificate.renew()
    expect(lines).toMatchObject([{ fields: { event: 'certificate-refused' } }])
  })
})
