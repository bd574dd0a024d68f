import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { temporaryDirectory } from '../helpers/context.js'
import { sharedByTests } from '../helpers/lasting.js'
import { missingProgram } from '../helpers/missing-program.js'

const CONFIG = '{ "pipelines": { "orders": {}, "returns": {} } }'

/** A folder with a config, some files, `headgate` on the PATH, and its completion for a shell. */
const workplace = (shell: string) =>
  sharedByTests(async (atEnd) => {
    const cwd = temporaryDirectory(
      { 'plugins.config.json': CONFIG, 'my event.json': '', 'letter.txt': '' },
      atEnd,
    )
    mkdirSync(join(cwd, 'bin'))
    const program = join(cwd, 'bin/headgate')
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${builtFile('cli.js')}' "$@"\n`)
    chmodSync(program, 0o755)
    const env = {
      PATH: `${join(cwd, 'bin')}:${process.env['PATH']}`,
      HOME: cwd,
      TERM: 'dumb',
      LANG: 'C.UTF-8',
    }
    const run = (program: string, ...args: string[]) =>
      execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    const script = join(cwd, `completion.${shell}`)
    writeFileSync(script, run('headgate', 'completion', shell))
    return { script, run }
  })

/** Line up to the cursor, and the words that a shell offers there; all of them unless it says otherwise. */
const CASES: readonly { readonly line: string; readonly words: readonly string[] }[] = [
  { line: 'va', words: ['validate'] },
  { line: 'dlq ', words: ['discard', 'export', 'list', 'replay', 'show'] },
  { line: 'dlq re', words: ['replay'] },
  { line: 'validate --against', words: ['--against-cluster'] },
  { line: 'validate --format ', words: ['github', 'json', 'text'] },
  { line: 'validate --format=j', words: ['json'] },
  { line: 'run --log-level w', words: ['warn'] },
  { line: 'dlq list --would', words: ['--would-pass'] },
  { line: 'dlq list --code HG_SCHEMA_V', words: ['HG_SCHEMA_VIOLATION'] },
  { line: 'dlq list --pipeline ', words: ['orders', 'returns'] },
  { line: 'help HG_SCHEMA_V', words: ['HG_SCHEMA_VIOLATION'] },
  { line: 'help exit', words: ['exit-codes'] },
  { line: 'help vali', words: ['validate'] },
  { line: 'plugins http', words: ['http-webhook'] },
  { line: 'ledger re', words: ['retry'] },
  { line: 'completion ', words: ['bash', 'fish', 'zsh'] },
  { line: 'explain my', words: ['my event.json'] },
  { line: 'explain --config let', words: ['letter.txt'] },
  { line: 'topics --partitions ', words: [] },
]

/** A value is offered with or without the flag before it, a path with or without its escapes. */
const bare = (word: string): string => word.replace(/^--[a-z-]+=|\\/g, '')

const BASH = `
source "$1"
IFS=' ' read -ra COMP_WORDS <<< "headgate $(sed 's/=/ = /' <<< "$2")"
[[ "headgate $2" == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_headgate
printf '%s\\n' "\${COMPREPLY[@]}"
`

/** Types a line into a zsh of its own, and has every word that it would offer printed. */
const ZSH = `
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner "
PROMPT= ; stty -echo; autoload -Uz compinit; compinit -u -d $PWD/zcompdump; source $1
zstyle ':completion:*' list-prompt ''; unsetopt auto_list auto_menu; setopt no_beep
compadd() {
  local -a found
  if [[ \\\${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd \\"\\$@\\"; return; fi
  builtin compadd -A found \\"\\$@\\"
  for word in \\$found; do print -r -- \\"<<\\$word>>\\"; done
  builtin compadd \\"\\$@\\"
}
offer() { zle list-choices; print -r -- '<<end>>'; }
zle -N offer; bindkey '^I' offer
print -r -- '<<'ready'>>'"
zpty -r inner text '*<<ready>>*'
zpty -w -n inner "headgate $2"$'\\t'
zpty -r inner text '*<<end>>*'
print -r -- $text
zpty -d inner
`

const SHELLS = [
  {
    shell: 'bash',
    offered: (run: (...args: string[]) => string, script: string, line: string) =>
      run('bash', '-c', BASH, 'bash', script, line),
  },
  {
    shell: 'zsh',
    offered: (run: (...args: string[]) => string, script: string, line: string) =>
      [...run('zsh', '-f', '-c', ZSH, 'zsh', script, line).matchAll(/<<(.*?)>>/g)]
        .map(([, word]) => word)
        .filter((word) => word !== 'end')
        .join('\n'),
  },
  {
    shell: 'fish',
    offered: (run: (...args: string[]) => string, script: string, line: string) =>
      run(
        'fish',
        '--no-config',
        '-c',
        'source $argv[1]; complete -C "headgate $argv[2]"',
        script,
        line,
      ).replace(/\t.*$/gm, ''),
  },
]

describe.each(SHELLS)('$shell', ({ shell, offered }) => {
  const missing = missingProgram(shell, '-c', 'exit')

  describe.skipIf(missing !== undefined)(missing ?? 'is installed', () => {
    const shared = workplace(shell)

    test.each(CASES)('offers $words after "headgate $line"', ({ line, words }) => {
      const { run, script } = shared()
      const found = offered(run as never, script, line)
        .split('\n')
        .filter((word) => word !== '')
      expect([...new Set(found.map(bare))].toSorted()).toEqual(words)
    })

    test('offers every command, and every flag of one', () => {
      const { run, script } = shared()
      const words = (line: string) => offered(run as never, script, line).split('\n')
      expect(words('')).toEqual(expect.arrayContaining(['run', 'validate', 'init', 'dlq', 'completion']))
      expect(words('')).not.toContain('worker')
      expect(words('validate --')).toEqual(
        expect.arrayContaining(['--format', '--strict', '--timeout', '--host', '--log-level', '--help']),
      )
    })
  })
})
