import { readdirSync, readFileSync } from 'node:fs'

/** A fenced code block of a page. */
export interface Block {
  readonly page: string
  /** The position of its first line. */
  readonly line: number
  /** The page and the first line of the block: its name in tables. */
  readonly name: string
  readonly language: string
  readonly text: string
  /** `quoted`, `file`, `output of` or `theirs`: the comment before it, such as `<!-- quoted: plugins.config.json -->`. */
  readonly mark: string | undefined
  /** The argument of that comment: a file, a command, a program. */
  readonly about: string | undefined
}

/** The pages for readers: the README and docs/. Runbooks have tests of their own. */
export const PAGES: readonly string[] = [
  'README.md',
  ...['docs', 'docs/coming-from', 'docs/senders'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
]

/** A test runs it from its first block to its last, on a real Kafka: test/kafka/getting-started.test.ts. */
export const WALKED = 'docs/getting-started.md'

export const pageText = (page: string): string => readFileSync(page, 'utf8')

const BLOCK = /(?:^<!-- ([a-z ]+): (.*) -->\n)?^( *)(`{3,})([^`\n]*)\n([\s\S]*?)^\3\4$/gm

export function blocksOf(page: string): Block[] {
  const text = pageText(page)
  return [...text.matchAll(BLOCK)].map(({ index, 1: mark, 2: about, 5: language = '', 6: inner = '' }) => ({
    page,
    line: text.slice(0, index).split('\n').length,
    name: `${page}: ${inner.split('\n', 1)[0]?.trim()}`,
    language,
    text: inner,
    mark,
    about,
  }))
}

/** The text of a page without its blocks. */
export const proseOf = (page: string): string => pageText(page).replaceAll(BLOCK, '')
