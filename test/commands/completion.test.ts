import { expect, test } from 'vitest'
import { completionCommand } from '../../src/commands/completion/index.js'
import { loadCommands } from '../../src/commands/index.js'
import { temporaryDirectory } from '../helpers/context.js'
import { runCommand } from '../helpers/recorded-io.js'

const command = completionCommand(loadCommands)
const completion = (shell: string, cwd = '.', env = {}) =>
  runCommand(command, { arguments: [shell] }, { cwd, env })

test.each(['bash', 'zsh', 'fish'])('the script for %s has every command and every flag', async (shell) => {
  const { code, out } = await completion(shell)
  expect(code).toBe(0)
  for (const command of await loadCommands()) {
    if ('hidden' in command && command.hidden) continue
    for (const member of 'commands' in command ? command.commands : [command]) {
      expect(out).toContain(member.name)
      for (const { flags } of member.options ?? []) {
        const [name = ''] = flags.split(' ')
        expect(out).toContain(shell === 'fish' ? `-l ${name.slice(2)} ` : name)
      }
    }
  }
  expect(out).not.toMatch(/check-config|\bworker\b(?!s)/)
})

test('another shell is wrong usage, with the ones that there are', async () => {
  expect(await completion('tcsh')).toEqual({
    code: 2,
    out: '',
    err: 'There is no completion for "tcsh". Expected one of bash, zsh, fish.\n',
  })
})

test('the pipelines are those of the config, comments and all', async () => {
  const cwd = temporaryDirectory({
    'plugins.config.json': '{ "pipelines": { "orders": {}, /* later */ "returns": {}, "a b": {}, } }',
    'other.json': '{ "pipelines": { "shop": {} } }',
  })
  expect(await completion('pipelines', cwd)).toEqual({ code: 0, out: 'orders\nreturns\n', err: '' })
  const named = await completion('pipelines', cwd, { HEADGATE_CONFIG: 'other.json' })
  expect(named.out).toBe('shop\n')
})

test('without a config, or with one that is none, there are no pipelines, and nothing is printed', async () => {
  expect(await completion('pipelines', temporaryDirectory())).toEqual({ code: 1, out: '', err: '' })
  const cwd = temporaryDirectory({ 'plugins.config.json': '[' })
  expect(await completion('pipelines', cwd)).toEqual({ code: 0, out: '', err: '' })
})
