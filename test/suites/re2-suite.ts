import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A copy of Go's package regexp, with the tests that RE2's authors generated for all engines. */
const MODULE = 'github.com/grafana/regexp@v0.0.0-20250905101755-5eb4f3acbf71'
const SUM = 'h1:A4D22zZV7+EeQk9TeATDDY/PG2wnzdqKcj4IZq+PcwA='

/** Texts, and what each pattern is to find in each of them. */
export interface Block {
  readonly texts: readonly string[]
  readonly patterns: readonly {
    readonly pattern: string
    /** `0-2 1-2 -`: start and end of the match and of its groups; `-` where there is none. */
    readonly found: readonly string[]
  }[]
}

/** Fetched by go the first time, from the module proxy. Throws an error if that fails. */
export async function re2Suite(): Promise<{ readonly search: Block[]; readonly exhaustive: Block[] }> {
  const { stdout } = await run('go', ['mod', 'download', '-json', MODULE], { cwd: tmpdir() }).catch(
    (error: NodeJS.ErrnoException & { stdout?: string }) => {
      const reason = error.code === 'ENOENT' ? 'go is not on the PATH' : error.stdout || error.message
      throw new Error(`go could not download ${MODULE}: ${reason}`)
    },
  )
  const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string }
  if (Sum !== SUM) throw new Error(`${MODULE} has the sum ${Sum} and should have ${SUM}`)
  const folder = join(Dir, 'testdata')
  const unpack = 'import bz2, shutil, sys; shutil.copyfileobj(bz2.open(sys.argv[1]), sys.stdout.buffer)'
  const exhaustive = await run('python3', ['-c', unpack, join(folder, 're2-exhaustive.txt.bz2')], {
    maxBuffer: 128 * 1024 * 1024,
  })
  return {
    search: blocksOf(readFileSync(join(folder, 're2-search.txt'), 'utf8'), 1),
    exhaustive: blocksOf(exhaustive.stdout, 101),
  }
}

/** Every `step`-th pattern of each block. */
function blocksOf(text: string, step: number): Block[] {
  const blocks: { texts: string[]; patterns: { pattern: string; found: string[] }[] }[] = []
  let isText = false
  let patterns = 0
  let current: string[] | undefined
  for (const line of text.split('\n')) {
    const block = blocks.at(-1)
    if (line === 'strings') {
      blocks.push({ texts: [], patterns: [] })
      isText = true
    } else if (line === 'regexps') isText = false
    else if (line.startsWith('"') && isText) block?.texts.push(unquote(line))
    else if (line.startsWith('"')) {
      current = undefined
      if (patterns++ % step !== 0) continue
      current = []
      block?.patterns.push({ pattern: unquote(line), found: current })
    }
    // All of the text, any part of it; the same for the longest match.
    else if (/^[-\d]/.test(line)) current?.push(line.split(';')[1] ?? '')
  }
  return blocks
}

/** As Go quotes, and with control characters as they are. */
const unquote = (line: string): string =>
  JSON.parse(
    line.replace(/[^ -\uffff]|\\(?:x([0-9a-f]{2})|.)/g, (whole: string, byte?: string) =>
      byte !== undefined ? `\\u00${byte}` : (UNLIKE_JSON.get(whole) ?? escaped(whole)),
    ),
  ) as string

/** A control character, which JSON does not take as it is. */
const escaped = (whole: string): string =>
  whole.startsWith('\\') ? whole : `\\u${whole.charCodeAt(0).toString(16).padStart(4, '0')}`

const UNLIKE_JSON = new Map([
  ['\\a', '\\u0007'],
  ['\\v', '\\u000b'],
])
