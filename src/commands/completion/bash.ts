import type { Node, Values } from './grammar.js'

/** The script for bash 4 or later. It needs nothing of the package bash-completion. */
export function bashCompletion(grammar: readonly Node[]): string {
  const groups = grammar.filter(({ path, commands }) => path !== '' && commands.length > 0)
  return `# Completion of headgate for bash: source <(headgate completion bash)
_headgate() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command=
  # bash splits --flag=value at the "=".
  if [[ $current == '=' ]]; then
    current=
  elif [[ $previous == '=' ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD > 1)); then command=\${COMP_WORDS[1]}; fi
  case $command in
    ${groups.map(({ path }) => path).join(' | ')})
      if ((COMP_CWORD > 2)); then command+=" \${COMP_WORDS[2]}"; fi ;;
  esac
  COMPREPLY=()
  case "$command $previous" in
${valueCases(grammar)}
  esac
  local words=
  case $current:$command in
${grammar.map(flagCase).join('\n')}
${grammar.flatMap(wordCase).join('\n')}
  esac
  _headgate_words "$words"
}

_headgate_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }

_headgate_files() {
  compopt -o filenames 2> /dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

_headgate_pipelines() { _headgate_words "$("\${COMP_WORDS[0]}" completion pipelines 2> /dev/null)"; }

complete -F _headgate headgate
`
}

/** Flags with a value: the word after one is that value. Equal ones of several commands share a line. */
function valueCases(grammar: readonly Node[]): string {
  const patterns = new Map<string, string[]>()
  for (const { path, flags } of grammar)
    for (const { name, values } of flags) {
      if (values === undefined) continue
      const action = actionOf(values)
      patterns.set(action, [...(patterns.get(action) ?? []), `'${path} ${name}'`])
    }
  return [...patterns].map(([action, names]) => `    ${names.join(' | ')})\n      ${action} ;;`).join('\n')
}

function actionOf(values: Values): string {
  if (values === 'none') return 'return'
  if (values === 'files' || values === 'pipelines') return `_headgate_${values}; return`
  return `_headgate_words '${values.join(' ')}'; return`
}

const flagCase = ({ path, flags }: Node): string =>
  `    -*:'${path}') words='${flags.map(({ name }) => name).join(' ')}' ;;`

function wordCase({ path, commands, values }: Node): string[] {
  const names = commands.map(({ name }) => name)
  if (values === 'files') return [`    *:'${path}') _headgate_files; return ;;`]
  const words = names.length > 0 ? names : typeof values === 'string' ? [] : values
  return words.length === 0 ? [] : [`    *:'${path}') words='${words.join(' ')}' ;;`]
}
