import { HeadgateError } from '../../../contract/errors.js'
import type { ProbeContext, Probed } from '../../../contract/index.js'
import { milliseconds } from '../../../lib/units.js'
import { Connections } from './connections.js'
import { exchange, networkReason } from './exchange.js'
import type { Settings } from './settings.js'
import { tokenRequest } from './token-request.js'

type Context = Pick<ProbeContext, 'at' | 'timeout' | 'signal'>

/** Requests a token, which is never shown, and the OPTIONS of the API, which acknowledges nothing. */
export async function* probe(config: Settings, { at, timeout, signal }: Context): AsyncIterable<Probed> {
  const patience = Math.ceil(Math.min(milliseconds(config.timeout), timeout))
  const hasty = { ...config, timeout: `${patience}ms` }
  const connections = new Connections(hasty)
  await connections.open(signal)
  try {
    yield* await Promise.all([askForToken(), askApi()])
  } finally {
    await connections.close(AbortSignal.abort())
  }

  async function askForToken(): Promise<Probed> {
    try {
      await tokenRequest(hasty, connections)()
      return { kind: 'checked', message: 'The token endpoint issues a token for these credentials.' }
    } catch (thrown) {
      if (!(thrown instanceof HeadgateError)) throw thrown
      const { code, message, cause } = thrown
      if (isRefusal(cause)) {
        const suggestion =
          'Compare `clientId`, `clientSecret` and `oauth` with the credentials that CXone issued.'
        return { kind: 'error', at: `${at}/clientSecret`, code, message, suggestion }
      }
      const place = config.oauth.tokenUrl.startsWith('/') ? '/baseUrl' : '/oauth/tokenUrl'
      return { kind: 'error', at: at + place, code, message }
    }
  }

  async function askApi(): Promise<Probed> {
    const path = `${connections.apiPrefix}/`
    const headers = ['user-agent', 'headgate']
    try {
      const { api } = await connections.servers()
      const { status } = await exchange(api, { method: 'OPTIONS', path, headers }, patience)
      const message = `The API responds (${status} to OPTIONS ${path}; nothing was acknowledged).`
      return { kind: 'checked', message }
    } catch (thrown) {
      const message = `The API did not respond: ${networkReason(thrown)}.`
      return { kind: 'error', at: `${at}/baseUrl`, code: 'HG_ACK_UNREACHABLE', message }
    }
  }
}

/** The statuses with which a token endpoint refuses credentials (RFC 6749, 5.2). */
const REFUSALS: readonly unknown[] = [400, 401, 403]

const isRefusal = (cause: unknown): boolean =>
  typeof cause === 'object' && cause !== null && 'status' in cause && REFUSALS.includes(cause.status)
