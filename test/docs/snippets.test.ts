import { symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { loadPlugins } from '../../src/config/load-plugins.js'
import { readConfig } from '../../src/config/read.js'
import { plugins } from '../../src/plugins/index.js'
import { SENDERS } from '../../src/plugins/source/http-webhook/senders/index.js'
import { quotedFiles, withQuotedFiles } from '../../tools/docs/quoted-files.js'
import { exampleEnvironment } from '../../tools/docs/sender-page.js'
import { temporaryDirectory } from '../helpers/context.js'
import { type Block, blocksOf, PAGES, pageText, WALKED } from '../helpers/pages.js'
import { NOT_RUN } from './not-run.js'
import { configsShowing } from './shown-config.js'

const blocks = PAGES.flatMap(blocksOf)
const isQuoted = ({ mark }: Block) => mark === 'quoted'
/** Pages of which a test of their own makes the files, runs the commands and compares what they print. */
const COMPARED: readonly string[] = ['docs/changing-routes.md', 'docs/coming-from/moving-over.md', WALKED]
const isCompared = ({ page, mark }: Block) =>
  COMPARED.includes(page) && (mark === 'file' || mark === 'output of')
/** Configs of other programs. coming-from.test.ts holds what can be held of them. */
const isTheirs = ({ mark }: Block) => mark === 'theirs'
/** test/docs/sender-pages.test.ts runs them. */
const isScenarios = ({ mark }: Block) => mark === 'scenarios of'
/** test/e2e/docs-snippets.test.ts runs them. */
const isScript = ({ language }: Block) => language === 'sh'
const isConfig = (block: Block) =>
  /^jsonc?$/.test(block.language) && ![isQuoted, isCompared, isTheirs, isScenarios].some((is) => is(block))
/** test/docs/generated.test.ts holds the page to the types. */
const isGenerated = ({ page }: Block) => page === 'docs/plugin-api.md'
const held = [
  isGenerated,
  isQuoted,
  isCompared,
  isTheirs,
  isScenarios,
  isScript,
  isConfig,
  ({ name }: Block) => name in NOT_RUN,
]

test('every block of every page is held by something: a command runs, a file is quoted, a config is valid', () => {
  const unheld = blocks.filter((block) => !held.some((holds) => holds(block)))
  expect(unheld.map(({ page, line, language }) => `${page}:${line} ${language}`)).toEqual([])
})

test('what is listed as not run is on a page, once, and says why', () => {
  const names = blocks.map(({ name }) => name)
  for (const [name, why] of Object.entries(NOT_RUN)) {
    expect(names.filter((other) => other === name)).toEqual([name])
    expect(why).not.toBe('')
  }
})

test.each(PAGES)('%s quotes files as they are; `npm run generate` renews it', (page) => {
  const text = pageText(page)
  expect(quotedFiles(text)).toHaveLength(blocksOf(page).filter(isQuoted).length)
  expect(withQuotedFiles(text, (path) => pageText(path))).toBe(text)
})

test.each(blocks.filter(isConfig).map((block) => [`${block.page}:${block.line}`, block] as const))(
  '%s: the config is valid, without a warning',
  async (_place, { text }) => {
    const configs = configsShowing(text, pageText('plugins.config.json'))
    expect(configs).not.toEqual([])
    for (const config of configs) expect(await findings(config)).toEqual([])
  },
)

/** A sink, as its author would publish it. */
const S3 = `export default {
  kind: 'sink',
  name: 's3',
  summary: 'Writes to a bucket.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  create: () => ({}),
}`

async function findings(config: string) {
  const files = {
    'schemas/cxone-data-action.schema.json': pageText('schemas/cxone-data-action.schema.json'),
    'plugins/mask.mjs': pageText('examples/plugins/mask/mask.mjs'),
    'node_modules/@acme/headgate-s3/package.json': '{"type":"module","exports":"./index.js"}',
    'node_modules/@acme/headgate-s3/index.js': S3,
  }
  const cwd = temporaryDirectory({ 'plugins.config.json': config, ...files })
  symlinkSync(resolve('.'), join(cwd, 'node_modules/headgate'))
  const path = join(cwd, 'plugins.config.json')
  const external = await loadPlugins(path, plugins)
  const options = {
    plugins,
    external,
    environment: Object.assign({}, ...SENDERS.map(exampleEnvironment)),
    exposed: false,
    cwd,
    unresolved: 'placeholder',
  } as const
  const read = readConfig(path, options)
  const { problems, warnings } = read.ok
    ? { problems: [], warnings: read.config.warnings }
    : { problems: read.problems, warnings: [] }
  return [...problems, ...warnings]
}
