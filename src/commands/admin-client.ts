import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { Agent, type Dispatcher, request } from 'undici'
import { readTokens, tokenFileOf } from '../admin/access.js'
import { HeadgateError } from '../contract/errors.js'
import { isLoopback } from '../lib/loopback.js'
import type { Settings } from '../process/settings.js'
import type { CommandInput, CommandOption, Io } from './command.js'

/** Milliseconds without a byte after which Headgate is gone: a tap hears of it every 15 s. */
const SILENCE = 60_000

/**
 * Asks the admin listener of the Headgate on this machine; undefined, and a complaint, where it does not answer well.
 * `options` are those of the command, with `trustOptions` among them.
 */
export const askAdmin = (
  settings: Settings,
  [method, path]: readonly [method: 'GET' | 'POST', path: string],
  options: CommandInput['options'],
  io: Pick<Io, 'err' | 'cwd'>,
): Promise<object | undefined> =>
  requestAdmin(settings, { method, path }, options, io, async (body) => (await body.json()) as object)

interface AdminQuestion {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Ends it, without a complaint. */
  readonly signal?: AbortSignal
}

/** The same for an answer that may go on for long: `read` is given its body. */
export async function requestAdmin<Read>(
  settings: Settings,
  { method, path, signal }: AdminQuestion,
  options: CommandInput['options'],
  { err, cwd }: Pick<Io, 'err' | 'cwd'>,
  read: (body: Dispatcher.ResponseData['body']) => Promise<Read>,
): Promise<Read | undefined> {
  const { adminHost, adminPort, adminTlsCert } = settings
  const scheme = adminTlsCert === '' && options['ca'] === undefined ? 'http' : 'https'
  const host = isLoopback(adminHost) ? adminHost : '127.0.0.1'
  const base = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${adminPort}`
  let dispatcher: Agent | undefined
  try {
    dispatcher = new Agent({ connect: await readTrust(options, cwd), bodyTimeout: SILENCE })
    const headers = await authorization(tokenFileOf(settings, cwd))
    const asked = { method, headers, dispatcher, ...(signal !== undefined && { signal }) }
    const { statusCode, body } = await request(base + path, asked)
    if (statusCode === 200) return await read(body)
    const said = (await body.json().catch(() => ({}))) as Complaint
    const hint =
      statusCode === 401 ? ' HEADGATE_ADMIN_TOKEN_FILE (--admin-token-file) says where it is read.' : ''
    const [asIs] = path.split('?')
    err(`${base}${asIs} was answered ${statusCode}: ${said.message ?? said.detail ?? ''}${hint}\n`)
  } catch (error) {
    if (signal?.aborted !== true)
      err(
        `${error instanceof HeadgateError ? error.message : complaint(error as NodeJS.ErrnoException, base)}\n`,
      )
  } finally {
    await dispatcher?.destroy()
  }
  return undefined
}

/** As Kafka Connect and as RFC 9457 shape it. */
interface Complaint {
  readonly message?: string
  readonly detail?: string
}

async function authorization(tokenFile: string): Promise<{ readonly [name: string]: string }> {
  if (tokenFile === '' || tokenFile === 'none') return {}
  const [token] = await readTokens(tokenFile)
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

/** For commands that ask the admin listener: how the two trust each other where it speaks HTTPS. */
export const trustOptions: readonly CommandOption[] = [
  {
    flags: '--ca <file>',
    description:
      'Who vouches for the certificate of the admin listener (PEM), which is then asked by https. Without it, whom Node.js trusts.',
  },
  {
    flags: '--server-name <name>',
    description: 'The name that its certificate is for, where that is not the address that is asked.',
  },
  { flags: '--client-cert <file>', description: 'Certificate to show it (PEM).' },
  { flags: '--client-key <file>', description: 'Key of that certificate (PEM).' },
]

/** What those flags name. Rejects where a file cannot be read. */
async function readTrust(
  options: CommandInput['options'],
  cwd: string,
): Promise<Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername'>> {
  const named = async (flag: string, as: 'ca' | 'cert' | 'key') => {
    const path = options[flag]
    return path === undefined ? {} : { [as]: await readFile(resolve(cwd, String(path))) }
  }
  const { serverName } = options
  return {
    ...(await named('ca', 'ca')),
    ...(await named('clientCert', 'cert')),
    ...(await named('clientKey', 'key')),
    ...(serverName !== undefined && { servername: String(serverName) }),
  }
}
