import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { diffCommand } from '../../src/commands/diff.js'
import { testCommand } from '../../src/commands/test.js'
import { validateCommand } from '../../src/commands/validate.js'
import { blocksOf, PAGES, pageText } from '../helpers/pages.js'
import { runCommand } from '../helpers/recorded-io.js'

const FOLDER = 'docs/coming-from'
const CONFIG = `${FOLDER}/orders/plugins.config.json`
const env = { ORDERS_TOKEN: 'a-token-of-the-test', KAFKA_BROKERS: 'kafka:9092' }
const pages = PAGES.filter((page) => page.startsWith(`${FOLDER}/`))
const theirs = pages.flatMap(blocksOf).filter(({ mark }) => mark === 'theirs')

test('there is a page for each of the programs, with its config and ours', () => {
  expect(theirs.map(({ page, about }) => [page, about])).toEqual([
    [`${FOLDER}/kafka-connect.md`, 'Kafka Connect'],
    [`${FOLDER}/redpanda-connect.md`, 'Redpanda Connect'],
    [`${FOLDER}/vector.md`, 'Vector'],
  ])
  for (const { page } of theirs) expect(pageText(page)).toContain(`<!-- quoted: ${CONFIG} -->`)
})

/** Every name of a member, at any depth. */
const names = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => [name, ...names(inner)])
    : []

/** The claims of the tables about Headgate: the text in backquotes of the last column. */
const ourWords = (page: string): string[] =>
  [...pageText(page).matchAll(/^\|.*\| (.+) \|$/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z][A-Za-z]*)`/g)].map(([, word = '']) => word),
  )

test.each(pages)(
  '%s: what the tables name of Headgate is a setting, a value, a plugin or a command',
  (page) => {
    const quoted = ['config', 'metrics', 'dead-letters'].flatMap(
      (name) => pageText(`docs/${name}.md`).match(/`[^`\n]+`/g) ?? [],
    )
    const known = new Set(quoted.join(' ').match(/[A-Za-z]+(?:-[a-z]+)*/g))
    expect(ourWords(page).filter((word) => !known.has(word))).toEqual([])
  },
)

test.each(theirs.map((block) => [String(block.about), block] as const))(
  'the config of %s can be read, and writes to the topics that ours names',
  (_program, { text, language }) => {
    const config: unknown = language === 'json' ? JSON.parse(text) : parseYaml(text)
    expect(names(config).length).toBeGreaterThan(5)
    const whole = JSON.stringify(config)
    const topics = ['orders.de', 'orders.other', 'orders.dlq']
    const written = language === 'json' ? ['orders.raw'] : topics
    expect(written.filter((topic) => !whole.includes(`"${topic}"`))).toEqual([])
    expect(topics.filter((topic) => !pageText(CONFIG).includes(`"${topic}"`))).toEqual([])
  },
)

describe('our config of the same job', () => {
  test('is valid, without a warning', async () => {
    const input = { arguments: [CONFIG], options: { strict: true } }
    const { code, err } = await runCommand(validateCommand, input, { env })
    expect([code, err]).toEqual([0, ''])
  })

  test('passes its scenarios, which reach every rule', async () => {
    const options = { config: CONFIG, requireCoverage: true }
    expect(await runCommand(testCommand, { options })).toMatchObject({ code: 0, err: '' })
  })
})

test('the page about moving shows what `headgate diff` prints of the old events', async () => {
  const [shown] = blocksOf(`${FOLDER}/moving-over.md`).filter(({ mark }) => mark === 'output of')
  const [name, argument, ...flags] = String(shown?.about).split(' ')
  const options = Object.fromEntries(
    flags.flatMap((flag, at) => (flag.startsWith('--') ? [[flag.slice(2), flags[at + 1] ?? '']] : [])),
  )
  expect(name).toBe('diff')
  const input = { arguments: [argument], options }
  expect(await runCommand(diffCommand, input, { cwd: resolve(FOLDER) })).toMatchObject({
    code: 0,
    out: shown?.text,
    err: '',
  })
})
