import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { HeadgateError } from '../contract/errors.js'
import type { Settings } from '../process/settings.js'

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
export function holds(tokens: readonly string[], authorization: string | undefined): boolean {
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
