import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { preferredPort } from '../../src/sandbox/sandbox.js'

test('a free port is taken, and one that is in use is left for any free one', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  expect(await preferredPort(port)).toBe(0)
  server.close()
  await once(server, 'close')
  expect(await preferredPort(port)).toBe(port)
})
