import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { Agent, type Dispatcher, request } from 'undici'
import { readTokens, tokenFileOf } from '../admin/access.js'
import { HeadgateError } from '../contract/errors.js'
import { isLoopback } from '../lib/loopback.js'
import type { Settings } from '../process/settings.js'
import type { CommandInput, CommandOption, Io } from './command.js'

/** Milliseconds without a byte after which Headgate is considered gone: an idle tap gets a line every 15 s. */
const SILENCE = 60_000

/**
 * The JSON response of the admin listener of the Headgate on this machine; undefined if the request fails, after printing why.
 * `options` are those of the command, `trustOptions` included.
 */
export const requestAdminJson = (
  settings: Settings,
  [method, path]: readonly [method: 'GET' | 'POST', path: string],
  options: CommandInput['options'],
  io: Pick<Io, 'err' | 'cwd'>,
): Promise<object | undefined> =>
  requestAdmin(settings, { method, path }, options, io, async (body) => (await body.json()) as object)

interface AdminRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** The media type of the response, if there are several. */
  readonly accept?: string
  /** Ends the request without an error message. */
  readonly signal?: AbortSignal
}

/** The same for a response that is streamed: `read` gets its body. */
export async function requestAdmin<Read>(
  settings: Settings,
  { method, path, accept, signal }: AdminRequest,
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
    const headers = {
      ...(await authorization(tokenFileOf(settings, cwd))),
      ...(accept !== undefined && { accept }),
    }
    const requestOptions = { method, headers, dispatcher, ...(signal !== undefined && { signal }) }
    const { statusCode, body } = await request(base + path, requestOptions)
    if (statusCode === 200) return await read(body)
    const failure = (await body.json().catch(() => ({}))) as ErrorBody
    const hint =
      statusCode === 401 ? ' Set HEADGATE_ADMIN_TOKEN_FILE (--admin-token-file) to the token file.' : ''
    const [pathname] = path.split('?')
    err(
      `${method} ${base}${pathname} failed with status ${statusCode}: ${failure.message ?? failure.detail ?? ''}${hint}\n`,
    )
  } catch (error) {
    if (signal?.aborted !== true)
      err(
        `${error instanceof HeadgateError ? error.message : connectionError(error as NodeJS.ErrnoException, base)}\n`,
      )
  } finally {
    await dispatcher?.destroy()
  }
  return undefined
}

/** The shapes of Kafka Connect and of RFC 9457. */
interface ErrorBody {
  readonly message?: string
  readonly detail?: string
}

async function authorization(tokenFile: string): Promise<{ readonly [name: string]: string }> {
  if (tokenFile === '' || tokenFile === 'none') return {}
  const [token] = await readTokens(tokenFile)
  return { authorization: `Bearer ${token}` }
}

function connectionError({ code = '', message }: NodeJS.ErrnoException, base: string): string {
  if (code === 'ECONNREFUSED')
    return `Cannot connect to Headgate at ${base}. Is it running? Set HEADGATE_ADMIN_PORT (--admin-port) if it uses another port.`
  return `The request to ${base} failed: ${message}.${hintFor(code)}`
}

function hintFor(code: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return ' Give the name in the certificate with --server-name.'
  if (/CERT|ISSUER|SIGNED|SIGNATURE/.test(code)) return ' Give the CA of its certificate with --ca.'
  return ''
}

/** For commands that connect to an admin listener with HTTPS: how the two authenticate each other. */
export const trustOptions: readonly CommandOption[] = [
  {
    flags: '--ca <file>',
    description:
      'CA of the certificate of the admin listener (PEM file); turns on https. Default: the CAs that Node.js trusts.',
  },
  {
    flags: '--server-name <name>',
    description: 'The name in its certificate, if that is not the address of the admin listener.',
  },
  { flags: '--client-cert <file>', description: 'Client certificate (PEM file).' },
  { flags: '--client-key <file>', description: 'Key of the client certificate (PEM file).' },
]

/** The files of those flags. Rejects if one cannot be read. */
async function readTrust(
  options: CommandInput['options'],
  cwd: string,
): Promise<Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername'>> {
  const file = async (flag: string, as: 'ca' | 'cert' | 'key') => {
    const path = options[flag]
    return path === undefined ? {} : { [as]: await readFile(resolve(cwd, String(path))) }
  }
  const { serverName } = options
  return {
    ...(await file('ca', 'ca')),
    ...(await file('clientCert', 'cert')),
    ...(await file('clientKey', 'key')),
    ...(serverName !== undefined && { servername: String(serverName) }),
  }
}
