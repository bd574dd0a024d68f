import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test, vi } from 'vitest'
import type { HttpHandler } from '../../src/contract/index.js'
import type { ListenerOptions } from '../../src/http/listener.js'
import { makePair, noOpenssl, read } from '../helpers/certificates.js'

// The listener has to behave the same over TLS: the same tests, once more.
vi.mock('./setup.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('./setup.js')>()
  return {
    ...original,
    listen: (handler: HttpHandler, options: Partial<ListenerOptions> = {}) =>
      original.listen(handler, { ...options, secure: shown() }),
  }
})
vi.mock('../helpers/raw-connection.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../helpers/raw-connection.js')>()
  return {
    ...original,
    rawConnection: (port: number) => original.rawSecureConnection(port, { ca: shown().context().cert }),
  }
})

const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
let context: ReturnType<typeof read> | undefined

function shown() {
  context ??= read(makePair(folder, 'server'))
  const certificate = context
  return {
    clientCertificates: false,
    context: () => certificate,
    onRenewed: () => {},
    onHandshakeFailed: () => {},
  }
}

if (noOpenssl === undefined) {
  describe('over TLS', async () => {
    await import('./listener.test.js')
    await import('./listener-closing.test.js')
    await import('./malformed-requests.test.js')
    await import('./takeover.test.js')
    await import('./connections.test.js')
  })
} else test.skip(`over TLS (${noOpenssl})`)
