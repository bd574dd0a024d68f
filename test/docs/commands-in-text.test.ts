import { expect, test } from 'vitest'
import type { Command, CommandGroup } from '../../src/commands/command.js'
import { loadCommands } from '../../src/commands/index.js'
import { PAGES, pageText, proseOf } from '../helpers/pages.js'

const commands = await loadCommands()

/** Commands that stand within sentences and tables. Those of shell blocks are run, by test/e2e/docs-snippets.test.ts. */
const mentioned = (page: string): string[] =>
  [...proseOf(page).matchAll(/`(?:\.\/)?headgate ([a-z][^`]*)`/g)].map(([, line]) => String(line))

/** The fault of it as a command line. */
function mistakes(line: string): string[] {
  const words = line.split(/\s+/)
  let command: Command | CommandGroup | undefined = commands.find(({ name }) => name === words[0])
  if (command !== undefined && 'commands' in command && words.length > 1)
    command = command.commands.find(({ name }) => name === words[1])
  if (command === undefined) return [`${line}: no such command`]
  const options = 'commands' in command ? [] : (command.options ?? [])
  const known = new Set(['--help', ...options.flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? [])])
  return (line.match(/(?<=\s)--[a-z-]+/g) ?? [])
    .filter((flag) => !known.has(flag))
    .map((flag) => `${line}: no ${flag}`)
}

test.each(PAGES)('%s: the commands in its text exist, with their flags', (page) => {
  expect(mentioned(page).flatMap(mistakes)).toEqual([])
})

test('a command or a flag that does not exist would be found', () => {
  expect(mentioned('README.md').length).toBeGreaterThan(3)
  expect(mistakes('validate --strict')).toEqual([])
  expect(mistakes('help HG_CONFIG_VALUE')).toEqual([])
  expect(mistakes('dlq lost')).toEqual(['dlq lost: no such command'])
  expect(mistakes('dlq list --sins 24h')).toEqual(['dlq list --sins 24h: no --sins'])
})

test.each(PAGES)('%s: the npm scripts that it names exist', (page) => {
  const { scripts } = JSON.parse(pageText('package.json')) as { scripts: { [name: string]: string } }
  for (const [, name] of pageText(page).matchAll(/npm run ([a-z]+)/g))
    expect(Object.keys(scripts)).toContain(name)
})
