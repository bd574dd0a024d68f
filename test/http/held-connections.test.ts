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

describe('listener: connections that wait until the pipelines accept events', () => {
  it('holds a request until the release, and then serves it as any other', async () => {
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

  it('responds to a request with 503 if its pipeline does not start in time', async () => {
    const { port, unserve } = await listen(echo().handler, {
      holds: true,
      timeouts: { headers: 20, request: 20 },
    })
    unserve()
    const early = await rawConnection(port)
    early.send(request('one'))
    const response = await early.until((text) => text.includes('HG_INTAKE_STARTING'))
    expect(response).toContain('503')
    expect(response.toLowerCase()).toContain('retry-after: ')
  })

  it('responds at once to connections beyond the share that is held', async () => {
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

  it('ignores a sender that leaves while its connection is held', async () => {
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

  it('serves held connections when the listener closes', async () => {
    const { listener, port, unserve } = await listen(echo().handler, { holds: true })
    unserve()
    const early = await rawConnection(port)
    early.send(request('one'))
    await turns(20)
    const closed = listener.close()
    expect(await early.closed()).toContain('HG_INTAKE_STOPPING')
    await closed
  })

  it.skipIf(noOpenssl !== undefined)(
    'holds TLS connections too, and does the handshake after the release',
    async () => {
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
    },
  )
})

describe('listener: the end of a process that another one replaces', () => {
  it('keeps an idle connection open for a request on its way, and closes it with the response', async () => {
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

  it('closes an idle connection without a further request in the end', async () => {
    const { listener, port } = await listen(echo().handler)
    const kept = await rawConnection(port)
    kept.send(request('one'))
    await kept.until((text) => text.includes('one'))
    const closed = listener.close(20)
    await kept.closed()
    await closed
  })
})
