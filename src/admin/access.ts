import type { IncomingMessage } from 'node:http'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { isLoopback } from '../lib/loopback.js'
import { type Answer, failure } from './answer.js'
import { holds, readTokens } from './tokens.js'

export interface AccessOptions {
  readonly host: string
  /** Path of the file of tokens; `none` where only the open paths are served; empty where nothing was said. */
  readonly tokenFile: string
  /** Paths that everyone may ask. */
  readonly open: readonly string[]
  readonly log: Log
}

/** Says who may ask what: an answer that refuses, or undefined where the request may be answered. */
export type Access = (request: Pick<IncomingMessage, 'headers'>, path: string) => Promise<Answer | undefined>

/**
 * With a file of tokens, everything but the open paths wants one of them. Without, it is served on loopback only, where
 * whoever can ask is on this machine. Rejects with HG_ADMIN_EXPOSED or HG_ADMIN_TOKEN where that cannot be.
 */
export async function createAccess({ host, tokenFile, open, log }: AccessOptions): Promise<Access> {
  const judge = await judgeOf(host, tokenFile, log)
  return async (request, path) => (open.includes(path) ? undefined : judge(request))
}

type Judge = (request: Pick<IncomingMessage, 'headers'>) => Promise<Answer | undefined>

async function judgeOf(host: string, tokenFile: string, log: Log): Promise<Judge> {
  if (tokenFile === 'none')
    return async () =>
      failure(403, 'This is served with a token only; HEADGATE_ADMIN_TOKEN_FILE names the file of it.')
  if (tokenFile === '') {
    if (isLoopback(host)) return fromThisMachine
    const message = `The admin listener would be reached at ${host} by anyone: HEADGATE_ADMIN_TOKEN_FILE is not set.`
    throw new HeadgateError('HG_ADMIN_EXPOSED', message)
  }
  await readTokens(tokenFile)
  return async ({ headers }) => {
    try {
      // Read at every request, of which there are few: so a file that was exchanged counts at once.
      if (holds(await readTokens(tokenFile), headers.authorization)) return undefined
      return failure(401, 'Send "Authorization: Bearer" with the admin token.', {
        'www-authenticate': 'Bearer realm="headgate"',
      })
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, 'Reading the admin tokens')
      log.error({ code }, message)
      return failure(503, 'The admin tokens cannot be read; the log says why.')
    }
  }
}

/**
 * A browser on this machine asks for web pages from anywhere: by a name that the page's owner lets point here (DNS
 * rebinding), or by a request across origins that needs no permission.
 */
const fromThisMachine: Judge = async ({ headers }) => {
  const name = hostname(`http://${headers.host ?? ''}`)
  if (name === undefined || !isLoopback(name)) {
    const message = `The Host header is ${JSON.stringify(headers.host ?? '')}; without a token, only localhost, 127.0.0.1 and [::1] are answered.`
    return failure(403, message)
  }
  const { origin } = headers
  if (origin !== undefined && origin !== `http://${headers.host}` && origin !== `https://${headers.host}`)
    return failure(403, 'A page of another origin asks; without a token, that is not answered.')
  return undefined
}

const hostname = (url: string): string | undefined =>
  URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : undefined
