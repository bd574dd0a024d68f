import { resolve } from 'node:path'
import { Agent, request } from 'undici'
import { readTokens } from '../admin/tokens.js'
import { HeadgateError } from '../errors.js'
import { isLoopback } from '../http/loopback.js'
import type { Settings } from '../settings.js'
import { readTrust } from './admin-trust.js'
import type { CommandInput, Io } from './command.js'

/**
 * Asks the admin listener of the Headgate on this machine; undefined, and a complaint, where it does not answer well.
 * `options` are those of the command, with `trustOptions` among them.
 */
export async function askAdmin(
  settings: Settings,
  [method, path]: readonly [method: 'GET' | 'POST', path: string],
  options: CommandInput['options'],
  { err, cwd }: Pick<Io, 'err' | 'cwd'>,
): Promise<object | undefined> {
  const { adminHost, adminPort, adminTokenFile, adminTlsCert } = settings
  const scheme = adminTlsCert === '' && options['ca'] === undefined ? 'http' : 'https'
  const host = isLoopback(adminHost) ? adminHost : '127.0.0.1'
  const base = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${adminPort}`
  let dispatcher: Agent | undefined
  try {
    dispatcher = new Agent({ connect: await readTrust(options, cwd) })
    const headers = await authorization(adminTokenFile, cwd)
    const { statusCode, body } = await request(base + path, { method, headers, dispatcher })
    if (statusCode === 200) return (await body.json()) as object
    const { message = '' } = (await body.json().catch(() => ({}))) as { readonly message?: string }
    const hint =
      statusCode === 401 ? ' HEADGATE_ADMIN_TOKEN_FILE (--admin-token-file) says where it is read.' : ''
    err(`${base}${path} was answered ${statusCode}: ${message}${hint}\n`)
  } catch (error) {
    err(
      `${error instanceof HeadgateError ? error.message : complaint(error as NodeJS.ErrnoException, base)}\n`,
    )
  } finally {
    await dispatcher?.close()
  }
  return undefined
}

async function authorization(tokenFile: string, cwd: string): Promise<{ readonly [name: string]: string }> {
  if (tokenFile === '' || tokenFile === 'none') return {}
  const [token] = await readTokens(resolve(cwd, tokenFile))
  return { authorization: `Bearer ${token}` }
}

function complaint({ code = '', message }: NodeJS.ErrnoException, base: string): string {
  if (code === 'ECONNREFUSED')
    return `No Headgate answers at ${base}. Is it running? HEADGATE_ADMIN_PORT says where it is looked for.`
  return `${base} could not be asked: ${message}.${hintFor(code)}`
}

function hintFor(code: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return ' --server-name says which name to expect.'
  if (/CERT|ISSUER|SIGNED|SIGNATURE/.test(code)) return ' --ca says who vouches for its certificate.'
  return ''
}
