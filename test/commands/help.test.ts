import { expect, test } from 'vitest'
import { helpCommand } from '../../src/commands/help.js'
import { loadCommands, withHelpFlag } from '../../src/commands/index.js'
import { LINTS } from '../../src/config/lint-names.js'
import { ERRORS, type ErrorCode } from '../../src/contract/errors.js'
import { plugins } from '../../src/plugins/index.js'
import { runCommand } from '../helpers/recorded-io.js'

const help = (...words: string[]) => runCommand(helpCommand(loadCommands), { arguments: words })

test.each(Object.keys(ERRORS) as ErrorCode[])(
  '%s is explained with meaning, action, kind and status',
  async (name) => {
    const { code, out } = await help(name)
    const { meaning, action, kind, status } = ERRORS[name]
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`^${name}\n`))
    expect(out).toContain(`meaning  ${meaning}`)
    expect(out).toContain(`to do    ${action}`)
    expect(out).toContain(`kind     ${kind}. `)
    expect(out).toMatch(status === undefined ? /status {3}none/ : new RegExp(`status {3}${status},`))
  },
)

test('every warning is explained, those of plugins too', async () => {
  const names = [...Object.keys(LINTS), ...plugins.flatMap(({ lints }) => Object.keys(lints ?? {}))]
  for (const name of names) {
    const { code, out } = await help(name)
    expect([code, out]).toEqual([0, expect.stringContaining(`// headgate-ignore: ${name} `)])
  }
})

test('upper and lower case do not matter', async () => {
  expect(await help('hg_schema_violation')).toEqual(await help('HG_SCHEMA_VIOLATION'))
})

test('the beginning of a code lists all codes that begin so', async () => {
  const { code, out } = await help('HG_KAFKA')
  expect(code).toBe(0)
  expect(out.trim().split('\n').length).toBe(
    Object.keys(ERRORS).filter((one) => one.startsWith('HG_KAFKA')).length,
  )
})

test.each([
  ['HG_SCHEMA_VIOLATON', 'HG_SCHEMA_VIOLATION'],
  ['partition-shraed', 'partition-shared'],
  ['valdiate', 'validate'],
  ['error', undefined],
])('%s: the nearest name is offered', async (typed, meant) => {
  const { code, out, err } = await help(typed)
  if (meant === undefined) expect([code, out]).toEqual([0, expect.stringContaining('errors')])
  else
    expect([code, err]).toEqual([
      2,
      `There is no command, error code, warning or topic "${typed}". Did you mean "${meant}"?\n`,
    ])
})

test('nothing near: the list is named', async () => {
  const { code, err } = await help('a', 'riddle')
  expect([code, err]).toEqual([
    2,
    'There is no command, error code, warning or topic "a riddle". "headgate help" lists everything.\n',
  ])
})

test('without a topic, commands and topics are listed, and none that is not for people', async () => {
  const { code, out } = await help()
  expect(code).toBe(0)
  for (const name of ['run', 'validate', 'dlq', 'help', 'errors', 'warnings', 'settings', 'exit-codes'])
    expect(out).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'))
  expect(out).not.toContain('worker')
})

test.each([
  ['errors', 'HG_CONFIG_VALUE'],
  ['warnings', 'partition-shared'],
  ['settings', 'HEADGATE_PORT'],
  ['exit-codes', '78'],
])('the topic %s has %s', async (topic, part) => {
  expect((await help(topic)).out).toContain(part)
})

test('help on a command is its --help', () => {
  expect(withHelpFlag(['help', 'dlq', 'replay'])).toEqual(['dlq', 'replay', '--help'])
  expect(withHelpFlag(['help', 'HG_CONFIG_VALUE'])).toEqual(['help', 'HG_CONFIG_VALUE'])
  expect(withHelpFlag(['help'])).toEqual(['help'])
  expect(withHelpFlag(['validate', 'help'])).toEqual(['validate', 'help'])
})
