import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The suite lies in the source package of Python's jsonschema, folder json/. */
const VERSION = '4.26.0'
const SHA256 = '0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326'
const CACHE = resolve('.cache')
const SUITE = join(CACHE, `json-schema-test-suite-${VERSION}`)

export interface Group {
  readonly description: string
  readonly schema: unknown
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[]
}

/** Fetched by pip the first time. Throws an error with the reason if that fails. */
export async function jsonSchemaSuite(): Promise<string> {
  if (!existsSync(SUITE)) await fetchSuite()
  return SUITE
}

/** Into a folder of its own first: what stands at SUITE is always whole. */
async function fetchSuite(): Promise<void> {
  mkdirSync(CACHE, { recursive: true })
  const temporary = mkdtempSync(`${SUITE}.`)
  try {
    const options = ['--quiet', '--no-deps', '--no-binary', 'jsonschema', '--dest', temporary]
    await run('python3', ['-m', 'pip', 'download', ...options, `jsonschema==${VERSION}`]).catch(
      (error: NodeJS.ErrnoException & { stderr?: string }) => {
        const reason = error.code === 'ENOENT' ? 'python3 is not on the PATH' : error.stderr?.trim()
        throw new Error(`pip could not download jsonschema ${VERSION}: ${reason || error.message}`)
      },
    )
    const name = `jsonschema-${VERSION}`
    const archive = join(temporary, `${name}.tar.gz`)
    const digest = createHash('sha256').update(readFileSync(archive)).digest('hex')
    if (digest !== SHA256)
      throw new Error(`${name}.tar.gz has the SHA-256 ${digest} and should have ${SHA256}`)
    await run('tar', ['-xzf', archive, '-C', temporary, `${name}/json`])
    try {
      renameSync(join(temporary, name, 'json'), SUITE)
    } catch (error) {
      // Another process was faster.
      if (!existsSync(SUITE)) throw error
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** The text of each file in a folder and the folders below it, by its path there. */
export function textsIn(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  )
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}
