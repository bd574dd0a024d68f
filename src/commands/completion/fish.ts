import type { Flag, Node, Values } from './grammar.js'

/** The script for fish 3 or later. */
export const fishCompletion = (
  grammar: readonly Node[],
): string => `# Completion of headgate for fish: headgate completion fish | source
# The words before the cursor are exactly these.
function __headgate_next
    set -l words (commandline -opc)
    set -e words[1]
    test "$words" = "$argv[1]"
end

# The words before the cursor begin with these.
function __headgate_at
    set -l words (commandline -opc)
    set -e words[1]
    string match -q -- "$argv[1] *" "$words "
end

complete -c headgate -f
${grammar.flatMap(linesOf).join('\n')}
`

function linesOf({ path, flags, commands, values }: Node): string[] {
  const next = `complete -c headgate -n ${quoted(`__headgate_next ${quoted(path)}`)}`
  const at = path === '' ? next : `complete -c headgate -n ${quoted(`__headgate_at ${quoted(path)}`)}`
  return [
    ...commands.map(({ name, description }) => `${next} -a ${name} -d ${quoted(description)}`),
    ...flags.map((flag) => `${at} ${flagOf(flag)}`),
    ...(values === 'none' ? [] : [`${at} ${valuesOf(values)}`]),
  ]
}

const flagOf = ({ name, description, values }: Flag): string =>
  [
    `-l ${name.slice(2)}`,
    `-d ${quoted(description)}`,
    ...(values === undefined ? [] : ['-r', valuesOf(values)]),
  ].join(' ')

function valuesOf(values: Values): string {
  if (values === 'files') return '-F'
  if (values === 'none') return '-f'
  if (values === 'pipelines') return "-f -a '(headgate completion pipelines 2> /dev/null)'"
  return `-f -a ${quoted(values.join(' '))}`
}

/** As one word of fish, in which single quotes have two escapes. */
const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`
