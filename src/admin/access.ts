import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join, resolve } from 'node:path'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { isLoopback } from '../lib/loopback.js'
import type { Settings } from '../process/settings.js'
import { isConsolePage } from './console.js'
import { type AdminResponse, errorResponse } from './routes.js'

export interface AccessOptions {
  readonly host: string
  /** Path of the token file; `none` if only the open paths are served; empty if it is not set. */
  readonly tokenFile: string
  /** Paths that need no token. */
  readonly open: readonly string[]
  readonly log: Log
}

type Request = Pick<IncomingMessage, 'headers'>

/** The response that refuses a request, or undefined if the request is allowed. */
export type AccessCheck = (request: Request, path: string) => Promise<AdminResponse | undefined>

/**
 * With a token file, every path but the open ones needs one of its tokens. Without one, the listener may only be on loopback,
 * which only this machine can reach. The pages of the console hold no data, so a browser loads them before it has a token. Rejects
 * with HG_ADMIN_EXPOSED or HG_ADMIN_TOKEN.
 */
export async function createAccess({ host, tokenFile, open, log }: AccessOptions): Promise<AccessCheck> {
  const check = await accessCheckFor(host, tokenFile, log)
  return async (request, path) => {
    if (open.includes(path)) return undefined
    const isPage = isConsolePage(request, path)
    const refused = fromOtherOrigin(request, isPage)
    if (refused !== undefined || (isPage && tokenFile !== '')) return refused
    return check(request)
  }
}

type Check = (request: Request) => Promise<AdminResponse | undefined>

async function accessCheckFor(host: string, tokenFile: string, log: Log): Promise<Check> {
  if (tokenFile === 'none')
    return async () =>
      errorResponse(
        403,
        'This path needs a token: set HEADGATE_ADMIN_TOKEN_FILE to the path of a token file.',
      )
  if (tokenFile === '') {
    if (isLoopback(host)) return fromThisMachine
    const message = `The admin listener at ${host} would be open to everyone: HEADGATE_ADMIN_TOKEN_FILE is not set.`
    throw new HeadgateError('HG_ADMIN_EXPOSED', message)
  }
  await readTokens(tokenFile)
  return async ({ headers }) => {
    try {
      // Read for every request, of which there are few, so that a replaced file takes effect at once.
      if (hasToken(await readTokens(tokenFile), headers.authorization)) return undefined
      return errorResponse(401, 'Send "Authorization: Bearer" with the admin token.', {
        'www-authenticate': 'Bearer realm="headgate"',
      })
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, 'Reading the admin tokens')
      log.error({ code }, message)
      return errorResponse(503, 'The admin tokens cannot be read; the log says why.')
    }
  }
}

/**
 * Refuses requests that a web page of another origin makes a browser send: they need no preflight, and can come with Basic
 * credentials that the browser keeps. Links to the console are allowed.
 */
function fromOtherOrigin({ headers }: Request, isPage: boolean): AdminResponse | undefined {
  const { origin, host, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers
  const isOwn = origin === undefined || origin === `http://${host}` || origin === `https://${host}`
  const isLink = isPage && mode === 'navigate'
  if (isOwn && (isLink || (site !== 'cross-site' && site !== 'same-site'))) return undefined
  return errorResponse(
    403,
    'The request comes from a web page of another origin, which is not allowed. A proxy in front of Headgate must keep the Host header.',
  )
}

/**
 * Without a token, a web page that is open in a browser on this machine could reach loopback by a host name that its owner
 * points here (DNS rebinding).
 */
const fromThisMachine: Check = async ({ headers }) => {
  const name = hostname(`http://${headers.host ?? ''}`)
  if (name === undefined || !isLoopback(name)) {
    const message = `The Host header is ${JSON.stringify(headers.host ?? '')}; without a token, only localhost, 127.0.0.1 and [::1] are allowed.`
    return errorResponse(403, message)
  }
  return undefined
}

const hostname = (url: string): string | undefined =>
  URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : undefined

/** Shorter tokens can be guessed. */
const SHORTEST = 16

const NONE = 'none'
const GENERATE = 'generate'

/**
 * The token file: HEADGATE_ADMIN_TOKEN_FILE as a path, `none`, or empty if it is not set. A generated token is in the state
 * directory, which no other user of the machine can read.
 */
export function tokenFileOf(
  { adminTokenFile, stateDir }: Pick<Settings, 'adminTokenFile' | 'stateDir'>,
  cwd = process.cwd(),
): string {
  if (adminTokenFile === '' || adminTokenFile === NONE) return adminTokenFile
  return adminTokenFile === GENERATE
    ? join(resolve(cwd, stateDir), 'admin-token')
    : resolve(cwd, adminTokenFile)
}

/** Generates a token if the settings ask for it and there is none yet. */
export async function generateToken(settings: Pick<Settings, 'adminTokenFile' | 'stateDir'>): Promise<void> {
  if (settings.adminTokenFile !== GENERATE) return
  const file = tokenFileOf(settings)
  try {
    await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw tokenError(`Cannot write the admin token to ${file} (${code}).`)
  }
}

/**
 * The bearer tokens of a file: one per line, so that an old and a new one are valid at once; empty lines and lines that
 * begin with `#` are skipped. Rejects with HG_ADMIN_TOKEN if a token is malformed or there is none.
 */
export async function readTokens(file: string): Promise<readonly [string, ...string[]]> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw tokenError(`Cannot read the admin token file ${file} (${cause.code}).`)
  })
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const tokens = lines.filter((line) => line !== '' && !line.startsWith('#'))
  const [first, ...others] = tokens
  if (first === undefined) throw tokenError(`The admin token file ${file} has no token.`)
  const wrong = lines.findIndex((line) => tokens.includes(line) && !isToken(line))
  if (wrong !== -1)
    throw tokenError(
      `Line ${wrong + 1} of ${file} is not a token: expected ${SHORTEST} or more letters, digits or -._~+/=.`,
    )
  return [first, ...others]
}

/**
 * Whether the request has one of the tokens: as a bearer token, or as the password of any user, because many clients of
 * Kafka Connect can send nothing else. Takes constant time, whichever token differs and at whichever character.
 */
function hasToken(tokens: readonly string[], authorization: string | undefined): boolean {
  const digest = digestOf(sentIn(authorization ?? ''))
  return tokens.map((token) => timingSafeEqual(digestOf(token), digest)).includes(true)
}

function sentIn(authorization: string): string {
  const [, scheme = '', credentials = ''] = /^(bearer|basic) +(\S+) *$/i.exec(authorization) ?? []
  if (scheme.toLowerCase() !== 'basic') return credentials
  const pair = Buffer.from(credentials, 'base64').toString('utf8')
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : ''
}

const isToken = (line: string): boolean => line.length >= SHORTEST && /^[A-Za-z0-9._~+/=-]+$/.test(line)
const digestOf = (token: string): Buffer => hash('sha256', token, 'buffer')
const tokenError = (message: string): HeadgateError => new HeadgateError('HG_ADMIN_TOKEN', message)
