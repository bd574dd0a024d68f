import type { Flag, Node, Values } from './grammar.js'

/** The script for zsh: a function `_headgate` for a folder of `fpath`, or to be sourced after compinit. */
export function zshCompletion(grammar: readonly Node[]): string {
  return `#compdef headgate
# Completion of headgate for zsh: source <(headgate completion zsh), after compinit.
_headgate() {
  local command=$words[2] at=2
  case $command in
    ${grammar
      .filter(({ path, commands }) => path !== '' && commands.length > 0)
      .map(({ path }) => path)
      .join('|')})
      if (( CURRENT > 3 )); then command+=" $words[3]"; at=3; fi ;;
  esac
  if (( CURRENT <= 2 )); then command=; at=1; fi
  # _arguments sees the words after the command only.
  words=(headgate "\${(@)words[at + 1,-1]}")
  (( CURRENT -= at - 1 ))
  case $command in
${grammar.map(nodeCase).join('\n')}
  esac
}

_headgate_pipelines() {
  local -a pipelines
  pipelines=(\${(f)"$(_call_program pipelines headgate completion pipelines 2> /dev/null)"})
  _describe pipeline pipelines
}

if [[ $funcstack[1] == _headgate ]]; then _headgate "$@"; else compdef _headgate headgate; fi
`
}

function nodeCase({ path, flags, commands, values }: Node): string {
  const words: readonly (readonly [string, string?])[] =
    commands.length > 0
      ? commands.map(({ name, description }) => [name, description] as const)
      : typeof values === 'string'
        ? []
        : values.map((value) => [value] as const)
  const rest =
    values === 'files'
      ? [`'*:file:_files'`]
      : words.length === 0
        ? []
        : [quoted(`*: :((${words.map(([word, text]) => choice(word, text)).join(' ')}))`)]
  const lines = [...flags.map(flagSpec), ...rest].map((spec) => `        ${spec}`)
  return `    '${path}')\n      _arguments -S \\\n${lines.join(' \\\n')} ;;`
}

/** A word of `((word\:description ...))`. */
const choice = (word: string, description: string | undefined): string =>
  description === undefined ? word : `${word}\\:${description.replace(/[^A-Za-z0-9,-]/g, '\\$&')}`

function flagSpec({ name, description, values, repeatable }: Flag): string {
  const text = description.replace(/[[\]:\\]/g, '\\$&')
  const spec = `${repeatable ? '*' : ''}${name}${values === undefined ? '' : '='}[${text}]`
  return quoted(values === undefined ? spec : `${spec}: :${action(values)}`)
}

function action(values: Values): string {
  if (values === 'none') return ' '
  if (values === 'files') return '_files'
  if (values === 'pipelines') return '_headgate_pipelines'
  return `(${values.join(' ')})`
}

/** As one word of the shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
