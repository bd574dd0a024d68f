import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join, resolve } from 'node:path'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { isLoopback } from '../lib/loopback.js'
import type { Settings } from '../process/settings.js'
import { type Answer, failure } from './routes.js'

export interface AccessOptions {
  readonly host: string
  /** Path of the file of tokens; `none` where only the open paths are served; empty where nothing was said. */
  readonly tokenFile: string
  /** Paths that everyone may ask. */
  readonly open: readonly string[]
  readonly log: Log
}

/** Says who may ask what: an answer that refuses, or undefined where the request may be answered. */
type Access = (request: Pick<IncomingMessage, 'headers'>, path: string) => Promise<Answer | undefined>

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

/** Shorter ones can be guessed. */
const SHORTEST = 16

const NONE = 'none'
const GENERATE = 'generate'

/**
 * The file of the tokens: HEADGATE_ADMIN_TOKEN_FILE as a path, `none`, or empty if it is not set. A generated one is in
 * the state directory, which no other user of the machine can read.
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

/** Makes the generated token, where that is what the settings say and there is none yet. */
export async function generateToken(settings: Pick<Settings, 'adminTokenFile' | 'stateDir'>): Promise<void> {
  if (settings.adminTokenFile !== GENERATE) return
  const file = tokenFileOf(settings)
  try {
    await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw refuse(`The admin token cannot be written to ${file} (${code}).`)
  }
}

/**
 * The bearer tokens of a file: one a line, so that an old and a new one can count at once; empty lines and lines that
 * begin with `#` are left out. Rejects with HG_ADMIN_TOKEN where there is none that can be used.
 */
export async function readTokens(file: string): Promise<readonly [string, ...string[]]> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw refuse(`The file of admin tokens ${file} cannot be read (${cause.code}).`)
  })
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const tokens = lines.filter((line) => line !== '' && !line.startsWith('#'))
  const [first, ...others] = tokens
  if (first === undefined) throw refuse(`The file of admin tokens ${file} has no token.`)
  const wrong = lines.findIndex((line) => tokens.includes(line) && !isToken(line))
  if (wrong !== -1)
    throw refuse(
      `Line ${wrong + 1} of ${file} is no token: expected are ${SHORTEST} or more letters, digits or -._~+/=.`,
    )
  return [first, ...others]
}

/**
 * Whether one of the tokens was sent: as a bearer token, or as the password of any user, which is all that many clients of
 * Kafka Connect can do. Takes as long whichever of them differs, and wherever.
 */
function holds(tokens: readonly string[], authorization: string | undefined): boolean {
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
const refuse = (message: string): HeadgateError => new HeadgateError('HG_ADMIN_TOKEN', message)
