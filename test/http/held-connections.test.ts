import { describe, expect, it } from 'vitest'
import { makePair, noOpenssl, read } from '../helpers/certificates.js'
import { temporaryDirectory } from '../helpers/context.js'
import { rawConnection, rawSecureConnection } from '../helpers/raw-connection.js'
import { echo, listen } from './setup.js'

const request = (body: string, path = '/in') =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`
/** The event loop turns, and what has come is read. */
const turns = async (count: number) => {
  for (let n = 0; n < count; n++) await new Promise((done) => setImmediate(done))
}

describe('listener: connections that wait until events are taken', () => {
  it('a request waits for the release, and is then answered as any other', async () => {
    const { handler, requests } = echo()
    const { listener, port, statuses } = await listen(handler, { holds: true })
    const early = await rawConnection(port)
    early.send(request('one'))
    const large = await rawConnection(port)
    large.send(request('x'.repeat(1000)))
    await turns(20)
    expect(requests).toHaveLength(0)
    listener.release()
    expect(await early.until((text) => text.includes('one'))).toContain('200 OK')
    expect(await large.until((text) => text.endsWith('x'.repeat(1000)))).toContain('200 OK')
    const late = await rawConnection(port)
    late.send(request('two'))
    expect(await late.until((text) => text.includes('two'))).toContain('200 OK')
    early.send(request('three'))
    expect(await early.until((text) => text.includes('three'))).toContain('200 OK')
    expect(statuses.pipeline).toEqual([200, 200, 200, 200])
  })

  it('a request whose pipeline has not come in time is told to try again later', async () => {
    const { port, unserve } = await listen(echo().handler, {
      holds: true,
      timeouts: { headers: 20, request: 20 },
    })
    unserve()
    const early = await rawConnection(port)
    early.send(request('one'))
    const answer = await early.until((text) => text.includes('HG_INTAKE_STARTING'))
    expect(answer).toContain('503')
    expect(answer.toLowerCase()).toContain('retry-after: ')
  })

  it('of more connections than are held, the others are answered at once', async () => {
    const { listener, port, unserve, http } = await listen(echo().handler, { holds: true, maxConnections: 4 })
    unserve()
    const held = []
    for (let n = 0; n < 3; n++) {
      const connection = await rawConnection(port)
      connection.send(request('held'))
      held.push(connection)
    }
    for (let n = 0; n < 3; n++) {
      const more = await rawConnection(port)
      more.send(request('more'))
      expect(await more.until((text) => text.includes('HG_INTAKE_STARTING'))).toContain('503')
    }
    expect(listener.usage().connections).toBeLessThanOrEqual(4)
    http.serve('/in', echo().handler)
    listener.release()
    for (const connection of held)
      expect(await connection.until((text) => text.includes('held'))).toContain('200 OK')
  })

  it('a sender that leaves while it waits disturbs nobody', async () => {
    const { handler, requests } = echo()
    const { listener, port } = await listen(handler, { holds: true })
    const gone = await rawConnection(port)
    gone.send(request('gone'))
    const other = await rawConnection(port)
    other.send(request('here'))
    gone.cut()
    await turns(20)
    listener.release()
    expect(await other.until((text) => text.includes('here'))).toContain('200 OK')
    expect(requests.length).toBeLessThanOrEqual(2)
  })

  it('connections that wait when the listener closes are answered', async () => {
    const { listener, port, unserve } = await listen(echo().handler, { holds: true })
    unserve()
    const early = await rawConnection(port)
    early.send(request('one'))
    await turns(20)
    const closed = listener.close()
    expect(await early.closed()).toContain('HG_INTAKE_STOPPING')
    await closed
  })

  it.skipIf(noOpenssl !== undefined)('TLS waits as well, and is agreed on after the release', async () => {
    const certificate = read(makePair(temporaryDirectory(), 'server'))
    const { listener, port } = await listen(echo().handler, {
      holds: true,
      secure: {
        clientCertificates: false,
        context: () => certificate,
        onRenewed: () => {},
        onHandshakeFailed: () => {},
      },
    })
    const connecting = rawSecureConnection(port, { ca: certificate.cert })
    await turns(20)
    listener.release()
    const early = await connecting
    early.send(request('one'))
    expect(await early.until((text) => text.includes('one'))).toContain('200 OK')
  })
})

describe('listener: the end of a process that another one takes over from', () => {
  it('an idle connection stays open for the request that is on its way, and is closed by its answer', async () => {
    const { listener, port } = await listen(echo().handler)
    const kept = await rawConnection(port)
    kept.send(request('one'))
    await kept.until((text) => text.includes('one'))
    const closed = listener.close(60_000)
    await turns(20)
    kept.send(request('two'))
    const text = await kept.closed()
    expect(text).toContain('two')
    expect(text.toLowerCase()).toContain('connection: close')
    await closed
  })

  it('an idle connection without a further request is closed in the end', async () => {
    const { listener, port } = await listen(echo().handler)
    const kept = await rawConnection(port)
    kept.send(request('one'))
    await kept.until((text) => text.includes('one'))
    const closed = listener.close(20)
    await kept.closed()
    await closed
  })
})
