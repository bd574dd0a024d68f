import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { listen, requireUnused, whenAccepted } from '../../src/http/listen.js'
import { takeoverProblem } from '../../src/process/takeover.js'

const canShare = takeoverProblem(process.versions.node) === undefined

async function listening(reusePort: boolean, port = 0) {
  const server = createServer()
  onTestFinished(() => void server.close())
  const { port: bound } = await listen(server, { host: '127.0.0.1', port, reusePort }, 'HEADGATE_HOST')
  return { server, port: bound }
}

test('a port on which another process listens counts as used', async () => {
  const { server, port } = await listening(canShare)
  const unused = () => requireUnused({ host: '127.0.0.1', port, reusePort: true }, 'HEADGATE_HOST')
  await expect(unused()).rejects.toMatchObject({ code: 'HG_LISTEN_FAILED' })
  await new Promise((resolve) => server.close(resolve))
  await unused()
})

test.skipIf(!canShare)('two servers share a port only if both ask for it', async () => {
  const { port } = await listening(true)
  await listening(true, port)
  const { port: taken } = await listening(false)
  await expect(listening(true, taken)).rejects.toMatchObject({
    code: 'HG_LISTEN_FAILED',
    message: expect.stringContaining('HEADGATE_TAKEOVER'),
  })
})

test('a server accepts all waiting connections before it closes', async () => {
  const { server, port } = await listening(false)
  const accepted = new Set()
  server.on('connection', (socket) => accepted.add(socket.resume()))
  const connections = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'))
  for (const connection of connections) onTestFinished(() => void connection.destroy())
  // The system has taken them, and this process has not looked yet.
  await new Promise<void>((resolve) => whenAccepted(server, () => server.close(() => resolve()) && end()))
  function end() {
    for (const connection of connections) connection.end()
  }
  expect(accepted.size).toBe(20)
  for (const connection of connections) if (!connection.closed) await once(connection, 'close')
  expect(connections.map(({ errored }) => errored)).toEqual(connections.map(() => null))
})

test.each([
  [
    () => listening(false).then(({ port }) => ({ host: '127.0.0.1', port })),
    'the port is in use by another process.',
  ],
  [async () => ({ host: '192.0.2.1', port: 0 }), 'this machine has no such address.'],
])('an address that cannot be listened on is named with the reason', async (at, reason) => {
  const where = await at()
  const server = createServer()
  onTestFinished(() => void server.close())
  await expect(listen(server, where, 'HEADGATE_HOST')).rejects.toMatchObject({
    code: 'HG_LISTEN_FAILED',
    message: `Cannot listen on ${where.host}:${where.port}: ${reason}`,
  })
})
