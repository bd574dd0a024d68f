import { hash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { extname, join } from 'node:path'
import { type AdminResponse, emptyResponse, errorResponse, get, type Route } from './routes.js'

const CONSOLE = '/console'

/** Whether a browser navigates, and not a client of the API. */
export const wantsPage = ({ accept }: IncomingHttpHeaders): boolean => accept?.includes('text/html') === true

/** Pages of the console hold no data. */
export const isConsolePage = ({ headers }: Pick<IncomingMessage, 'headers'>, path: string): boolean =>
  path === CONSOLE || path.startsWith(`${CONSOLE}/`) || (path === '/' && wantsPage(headers))

export const openConsole = (): AdminResponse => emptyResponse(303, { location: CONSOLE, vary: 'accept' })

/** No script or style but those of the bundle, no request to another host, and no page around it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  // Asked for again at each visit: an upgrade of Headgate brings another one.
  'cache-control': 'no-cache',
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
}

const ASSET_TYPES: { readonly [extension: string]: string } = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** `folder`: the built console. */
export function consoleRoutes(folder: string): Route[] {
  let loaded: Bundle | undefined
  // Few processes are looked at, so the files are read at the first visit.
  const bundle = async () => {
    loaded ??= await readBundle(folder)
    return loaded
  }
  return [
    get(CONSOLE, async ({ headers }) => {
      const { page, tag } = (await bundle()) ?? {}
      if (page === undefined || tag === undefined)
        return errorResponse(404, 'The console is not built: run "npm run build".')
      if (headers['if-none-match'] === tag) return emptyResponse(304, { ...PAGE_HEADERS, etag: tag })
      return { status: 200, headers: { ...PAGE_HEADERS, etag: tag }, body: page }
    }),
    get(`${CONSOLE}/assets/{file}`, async ({ params: { file = '' } }) => {
      const body = (await bundle())?.assets.get(file)
      if (body === undefined) return errorResponse(404, `The console has no file ${file}.`)
      const headers = {
        'content-type': ASSET_TYPES[extname(file)] ?? 'text/plain; charset=utf-8',
        // The name of each has the hash of its content.
        'cache-control': 'public, max-age=31536000, immutable',
        'cross-origin-resource-policy': 'same-origin',
      }
      return { status: 200, headers, body }
    }),
  ]
}

interface Bundle {
  readonly page: string
  readonly tag: string
  readonly assets: ReadonlyMap<string, string>
}

/** Undefined if there is none. */
async function readBundle(folder: string): Promise<Bundle | undefined> {
  const assets = join(folder, 'assets')
  try {
    const page = await readFile(join(folder, 'index.html'), 'utf8')
    const names = await readdir(assets)
    const read = names.map(async (name) => [name, await readFile(join(assets, name), 'utf8')] as const)
    const tag = `"${hash('sha256', page, 'base64url').slice(0, 22)}"`
    return { page, tag, assets: new Map(await Promise.all(read)) }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}
