import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { HeadgateError } from '../contract/errors.js'

/**
 * The port that all workers listen on, replacements included: of 0, a free one. Rejects with HG_LISTEN_FAILED if there is
 * none at this address.
 */
export async function freePort(host: string, port: number): Promise<number> {
  if (port !== 0) return port
  const server = createServer()
  try {
    server.listen({ host, port })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  } catch (cause) {
    throw new HeadgateError('HG_LISTEN_FAILED', `Cannot listen on ${host}: ${(cause as Error).message}.`, {
      cause,
    })
  } finally {
    server.close()
  }
}
