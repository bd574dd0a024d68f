import { LINTS } from '../../src/config/lint-names.js'
import type { AnyDefinition, LintMeaning } from '../../src/contract/index.js'

/** The page `docs/lint.md`, from the names that the config check and the plugins declare. */
export function lintReference(plugins: readonly AnyDefinition[]): string {
  const ofPlugins = plugins.flatMap(({ kind, name, lints }) =>
    lints === undefined ? [] : [`## The ${kind} \`${name}\``, ...Object.entries(lints).map(section)],
  )
  return `${[HEAD, '## The whole file', ...Object.entries(LINTS).map(section), ...ofPlugins].join('\n\n')}\n`
}

const section = ([name, { meaning, why, needs }]: [string, LintMeaning]): string =>
  `### <a id="${name}"></a>\`${name}\`\n\n${meaning}${needs === 'cluster' ? ' Found with `--against-cluster` only.' : ''}\n\n${why}`

const HEAD = `# Warnings

Generated from the declarations; \`npm run generate\` renews it.

\`headgate validate\` warns of probable mistakes in a config that has no errors. Warnings do not stop Headgate: \`headgate run\`
logs them once. \`headgate validate --strict\` exits with 1 if there is a warning; use it to check a config before a rollout.

A comment with the name of a warning silences it: on the line that the warning names, on the line before it, or before the object
that it is in. Separate several names with commas. After the names, give the reason:

\`\`\`jsonc
"rules": [
  { "name": "eu", "when": { "regex": "^eu-", "at": "/payload/region" }, "to": { "topic": "orders.eu", "partition": 0 } },
  // headgate-ignore: partition-shared both regions keep one order
  { "name": "us", "when": { "regex": "^us-", "at": "/payload/region" }, "to": { "topic": "orders.eu", "partition": 0 } }
]
\`\`\`

A comment that silences nothing causes a warning itself, and so does a name that does not exist. Some warnings need the cluster:
only \`headgate validate --against-cluster\` finds them. Without it, a comment for one of them causes no warning; nor does a
comment for a warning that depends on variables or on files of secrets.`
