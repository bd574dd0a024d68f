import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { PAGES, proseOf } from '../helpers/pages.js'

/** Words of an earlier language of ours, each with the glossary's word for it (ARCHITECTURE.md). */
const REPLACED: readonly (readonly [found: RegExp, instead: string])[] = [
  [/\b(?:owed|owes|owing)\b/i, 'pending acknowledgement'],
  [/\brehears/i, 'dry run'],
  [/\bmisspel[tl]/i, 'closest match'],
  [/\banew\b/i, 'again, restart'],
  [/\bwhoever\b/i, 'a noun'],
  [/\b(?:un)?parked\b/i, 'spilled, loaded'],
  [/\bremembered event/i, 'known event'],
  [/\bsurroundings\b/i, 'context, host'],
  [/\b(?:is|be|are|was|were) content\b/i, 'nothing to do'],
  [/\bcannot be had\b/i, 'the reason'],
  [/\b(?:an answer|(?:the|no|its|their|this|each|every) answers?)\b/i, 'response'],
]

/** A sentence that begins with a clause instead of its subject. */
const CLAUSE_FIRST = /(?:^|[.!?:;] )(?:What|Who|Whoever)\b(?!['’]s\b)[^?]*?(?:[.;:]|$)/

/** Keys of reports that users see, and names of tables in the index on disk. */
const KEPT = [
  // Of a person, to a question.
  /^src\/commands\/init\/.*say response$/,
  /^src\/(?:admin\/connect\/connectors|commands\/ledger|inbox\/inbox-ledger|ledger\/ledger|ledger\/report)\.ts:\d+: known$/,
  /^src\/scenarios\/report\.ts:\d+: passed$/,
  /^src\/ledger\/store\.ts:\d+: /,
  /^test\/docs\/(?:words|monitoring)\.test\.ts:/,
]
const isNew = (fault: string): boolean => !KEPT.some((kept) => kept.test(fault))

/** Adverbs and participles that say nothing as a name. */
const NO_NAMES = new Set('beside anew handed tried passed known given its mine'.split(' '))

const faultsOf = (text: string): string[] => [
  ...REPLACED.filter(([found]) => found.test(text)).map(([found, instead]) => `${found}: say ${instead}`),
  ...(CLAUSE_FIRST.test(text) ? ['a sentence begins with what or who'] : []),
]

const FOLDERS = ['src', 'console', 'bench', 'torture', 'tools', 'scripts', 'test']
const SOURCES = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:tsx?|mjs)$/.test(name))
    .map((name) => `${folder}/${name}`),
)

interface Word {
  /** Offset in the file. */
  readonly at: number
  readonly kind: 'comment' | 'text' | 'name'
  readonly text: string
}

/** The comments, texts and names of a source file. */
function parse(path: string): Word[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest)
  const words: Word[] = []
  const seen = new Set<number>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node))
      words.push({ at: node.getStart(source), kind: 'name', text: node.text.replace('#', '') })
    else if (ts.isStringLiteralLike(node))
      words.push({ at: node.getStart(source), kind: 'text', text: node.text })
    for (const { pos, end } of ts.getLeadingCommentRanges(source.text, node.pos) ?? []) {
      if (seen.has(pos)) continue
      seen.add(pos)
      words.push({ at: pos, kind: 'comment', text: proseOfComment(source.text.slice(pos, end)) })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return words
}

const parsed = new Map<string, readonly Word[]>()
function wordsOf(path: string): readonly Word[] {
  const words = parsed.get(path) ?? parse(path)
  parsed.set(path, words)
  return words
}

const place = (path: string, at: number): string =>
  `${path}:${readFileSync(path, 'utf8').slice(0, at).split('\n').length}`

const proseOfComment = (comment: string): string =>
  comment
    .replace(/^\/\*\*?|\*\/$/g, '')
    .replace(/^\s*(?:\/\/|\*) ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim()

test('comments and texts in the sources use the words of the glossary, in ordinary order', () => {
  const found = SOURCES.flatMap((path) =>
    wordsOf(path)
      .filter(({ kind }) => kind !== 'name')
      .flatMap(({ at, text }) => faultsOf(text).map((fault) => `${place(path, at)}: ${fault}`)),
  )
  expect(found.filter(isNew)).toEqual([])
}, 60_000)

test('names are nouns and verbs', () => {
  const found = SOURCES.filter((path) => path.startsWith('src/')).flatMap((path) =>
    wordsOf(path)
      .filter(({ kind, text }) => kind === 'name' && NO_NAMES.has(text))
      .map(({ at, text }) => `${place(path, at)}: ${text}`),
  )
  expect(found.filter(isNew)).toEqual([])
}, 60_000)

/** Without flags and names. */
const withoutCode = (text: string): string => text.replace(/`[^`]*`|<!--.*?-->/g, '')

test.each(PAGES)('%s uses the words of the glossary, in ordinary order', (page) => {
  expect(withoutCode(proseOf(page)).split('\n').flatMap(faultsOf)).toEqual([])
})

test('a fault would be found', () => {
  expect(faultsOf('What is owed is kept.')).toHaveLength(2)
  expect(faultsOf('Retries. Who has no turn waits.')).toHaveLength(1)
  expect(faultsOf('Pending acknowledgements are kept. What next?')).toEqual([])
})
