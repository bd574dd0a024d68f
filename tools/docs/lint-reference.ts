import { LINTS } from '../../src/config/lint-names.js'
import type { AnyDefinition, LintMeaning } from '../../src/contract/index.js'

/** The page `docs/lint.md`, from the names that the config check and the plugins declare. */
export function lintReference(plugins: readonly AnyDefinition[]): string {
  const ofPlugins = plugins.flatMap(({ kind, name, lints }) =>
    lints === undefined ? [] : [`## The ${kind} \`${name}\``, ...Object.entries(lints).map(section)],
  )
  return `${[HEAD, '## The whole file', ...Object.entries(LINTS).map(section), ...ofPlugins].join('\n\n')}\n`
}

const section = ([name, { meaning, why, outside }]: [string, LintMeaning]): string =>
  `### <a id="${name}"></a>\`${name}\`\n\n${meaning}${outside ? ' Found with `--against-cluster` only.' : ''}\n\n${why}`

const HEAD = `# Warnings

Generated from the declarations; \`npm run generate\` renews it.

\`headgate validate\` warns of what is allowed and probably not meant, once a config has no errors. Warnings stop nothing:
\`headgate run\` names them once in its log. \`headgate validate --strict\` exits with 1 where there is one, for a pipeline that
checks configs before they are rolled out.

A comment silences a warning by its name, on the line that the warning names or the line before it; or before the object that
it is in. Several names are separated by commas. What comes after the names is for people, best the reason:

\`\`\`jsonc
"rules": [
  { "name": "eu", "when": { "regex": "^eu-", "at": "/payload/region" }, "to": { "topic": "orders.eu", "partition": 0 } },
  // headgate-ignore: partition-shared both regions keep one order
  { "name": "us", "when": { "regex": "^us-", "at": "/payload/region" }, "to": { "topic": "orders.eu", "partition": 0 } }
]
\`\`\`

A comment that silences nothing is a warning itself, and so is a name that does not exist. Some things only a look at the cluster
can tell, with \`headgate validate --against-cluster\`; a comment that silences one of those may stay without it, and so
may one for what depends on variables and on files of secrets.`
