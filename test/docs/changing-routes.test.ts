import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Command } from '../../src/commands/command.js'
import { diffCommand } from '../../src/commands/diff.js'
import { explainCommand } from '../../src/commands/explain.js'
import { temporaryDirectory } from '../helpers/context.js'
import { runCommand } from '../helpers/recorded-io.js'

const page = readFileSync('docs/changing-routes.md', 'utf8')
const shipped = readFileSync('plugins.config.json', 'utf8')
const SCHEMA = 'schemas/cxone-data-action.schema.json'

/** Blocks of code behind a comment such as `<!-- file: event.json -->`, by what it names. */
const blocks = (kind: string): Map<string, string> =>
  new Map(
    [...page.matchAll(new RegExp(`<!-- ${kind}: (.+) -->\\n\`\`\`\\w+\\n([\\s\\S]*?\\n)\`\`\``, 'g'))].map(
      ([, name = '', text = '']) => [name, text],
    ),
  )

const outputs = blocks('output of')
const COMMANDS: { readonly [name: string]: Command } = { explain: explainCommand, diff: diffCommand }

/** Which config it was made with is not the matter. */
const withoutRevision = (text: string): string =>
  text.replace(/(revision +)[0-9a-f]{12}/g, '$1').replace(/(headgate-revision +)[0-9a-f]{12}/g, '$1')

test.each([...outputs.keys()])('the page shows what `headgate %s` prints', async (line) => {
  const [name = '', argument = '', flag, value] = line.split(' ')
  const command = COMMANDS[name]
  if (command === undefined) throw new Error(`no command ${name}`)
  const [expression] = /payload\.region in \[.*?\]/.exec(page) ?? ['']
  const cwd = temporaryDirectory({
    ...Object.fromEntries(blocks('file')),
    'plugins.config.json': shipped,
    'new.json': shipped.replace("payload.region = 'eu-west'", expression),
    [SCHEMA]: readFileSync(SCHEMA, 'utf8'),
  })
  const options = flag === undefined ? {} : { [flag.replace('--', '')]: value }
  const { out, err } = await runCommand(command, { arguments: [argument], options }, { cwd })
  expect(err).toBe('')
  expect(withoutRevision(out)).toBe(withoutRevision(outputs.get(line) ?? ''))
})

test('the page has both commands', () => {
  expect([...outputs.keys()].map((line) => line.split(' ')[0])).toEqual(['explain', 'diff'])
})
