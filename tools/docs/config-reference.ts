import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser'
import type { Schema } from '../../src/config/editor-schema.js'
import { ConfigFile } from '../../src/config/schema.js'
import type { AnyDefinition, Kind } from '../../src/contract/index.js'
import { flagOf, type SETTINGS } from '../../src/process/settings.js'
import { PROVIDERS } from './provider-reference.js'
import { settingsTable } from './settings-table.js'

const HEADINGS: { readonly [kind in Kind]: string } = {
  source: 'Source',
  transform: 'Transform',
  sink: 'Sink',
  'post-commit': 'Post-commit',
}

/** The page `docs/config.md`, from the declarations that validate; its examples are cut out of the shipped file. */
export function configReference(
  plugins: readonly AnyDefinition[],
  settings: typeof SETTINGS,
  shipped: string,
): string {
  const root = parseTree(shipped, [], { allowTrailingComma: true }) as Node
  return `${[INTRO, ...pipelineSections(root, shipped), NAMED_SINKS, PROVIDERS, ...plugins.map((plugin) => pluginSection(plugin, root, shipped)), FROM_OUTSIDE, processSection(settings)].join('\n\n')}\n`
}

const INTRO = `# Config reference

Generated from what plugins and settings declare; change it there.

What Headgate does stands in one file, \`plugins.config.json\`: [pipelines](#pipelines) of stages, each of which is a plugin
with its settings. Comments and trailing commas are fine, and editors complete and explain all of this through \`$schema\`.
Where it listens, what it logs and the like are [settings of the process](#process-settings). \`headgate validate\` checks the
file and says what it understood; nothing is started with a file that has a problem.

In the tables, \`a.b\` is \`b\` in the object \`a\`, and \`a[].b\` is \`b\` in each element of the list \`a\`. A duration is a whole
number with its unit (\`500ms\`, \`30s\`, \`24h\`), so is a size (\`512B\`, \`64KiB\`, \`1MiB\`). Places in an event are JSON Pointers (RFC 6901):
\`/payload/region\`, and \`""\` for all of it. Text may hold [references](#secrets-and-addresses) such as \`\${env:NAME}\`.`

function pipelineSections(root: Node, shipped: string): string[] {
  const { pipelines } = (ConfigFile as Schema).properties ?? {}
  const [pipeline = {}] = Object.values(pipelines?.patternProperties ?? {})
  const { source, transforms, sink, postCommit, ...others } = pipeline.properties ?? {}
  const own = { ...pipeline, properties: others }
  const deadLetter = [...nodesOf(root)].find(({ parent }) => parent?.children?.[0]?.value === 'deadLetter')
  const example = deadLetter?.parent === undefined ? '' : `\n\n${fenced(textOf(deadLetter.parent, shipped))}`
  const stage = (title: string, schema: Schema | undefined, text: string) =>
    `### ${title}\n\n${text}\n\n${settingsTable(schema?.items ?? schema ?? {})}`
  return [
    `## Pipelines\n\n${pipelines?.description} A pipeline has one source, transforms in order, one sink, and post-commit stages.\n\n${settingsTable(own)}${example}`,
    stage('Source', source, 'One for each pipeline: takes events from their sender and answers it.'),
    stage(
      'Transforms',
      transforms,
      'A list, tried in order. One of them has to choose a topic, as `route` does.',
    ),
    stage('Sink', sink, 'One for each pipeline: writes what passed.'),
    stage(
      'Post-commit',
      postCommit,
      'A list. Told about every event that is durable, after the sender has its answer.',
    ),
  ]
}

function pluginSection({ kind, name, summary, config }: AnyDefinition, root: Node, shipped: string): string {
  const stage = [...nodesOf(root)].find((node) => findNodeAtLocation(node, ['plugin'])?.value === name)
  const example = stage === undefined ? [] : [fenced(textOf(stage, shipped))]
  return [`## ${HEADINGS[kind]} \`${name}\``, summary, ...example, settingsTable(config as Schema)].join(
    '\n\n',
  )
}

const NAMED_SINKS = `### Named sinks

Pipelines that write to the same cluster can share a sink that \`sinks\` declares by name, next to \`pipelines\`:

${'```'}jsonc
{
  "sinks": {
    "main": { "plugin": "kafka", "config": { "brokers": "\${env:KAFKA_BROKERS}", "key": "/id" } }
  },
  "pipelines": {
    "orders": {
      "source": { "plugin": "http-webhook", "config": { "path": "/orders", "eventId": "/id", "verify": { "scheme": "bearer", "tokens": ["\${env:ORDERS_TOKEN}"] } } },
      "transforms": [{ "plugin": "route", "config": { "rules": [], "otherwise": { "topic": "orders" } } }],
      "sink": "main"
    },
    "payments": {
      "source": { "plugin": "http-webhook", "config": { "path": "/payments", "eventId": "/paymentId", "verify": { "scheme": "bearer", "tokens": ["\${env:PAYMENTS_TOKEN}"] } } },
      "transforms": [{ "plugin": "route", "config": { "rules": [], "otherwise": { "topic": "payments" } } }],
      "sink": { "use": "main", "config": { "key": "/paymentId" } }
    }
  }
}
${'```'}

Each setting that a pipeline gives under \`config\` takes the place of the one of the named sink; \`onError\` is the pipeline's
own. \`key\`, \`value\` and \`headers\` are about records, and a pipeline may well have others than its neighbours. \`brokers\` and
\`properties\` are those of the Kafka client: sinks that say the same of them share one client, with its connections, threads and
series (label \`sink\`), whether they are named or stand in their pipelines. If a record's fate becomes unknown, the session of the
client is given up for all pipelines that share it, and each reads back its own records before it takes events again. To keep
pipelines apart, give their sinks another \`client.id\` in \`properties\`. A change of a named sink is taken over by all its pipelines in one step.`

const FROM_OUTSIDE = `## Plugins that are no built-ins

\`"plugin"\` takes the path of a file, relative to the config file (\`"./plugins/mask.mjs"\`), or an npm package with a scope or
with the prefix \`headgate-\` (\`"@acme/headgate-s3"\`, \`"headgate-mask"\`), looked for from the folder of the config file. Only
what the file itself names is loaded: neither a reference nor a misspelt name can name code. A plugin is code with all the
rights of the process: name only what you trust. \`headgate plugins ./plugins/mask.mjs\` shows its settings.
[Writing a plugin](writing-a-plugin.md) says how one is made.`

function processSection(settings: typeof SETTINGS): string {
  const rows = Object.values(settings).map((setting) => {
    const { env, default: preset, doc } = setting
    const flag = `--${flagOf(setting)}${typeof preset === 'boolean' ? '' : ' <value>'}`
    return `| \`${flag}\` | \`${env}\` | ${preset === '' ? 'none' : `\`${preset}\``} | ${doc} |`
  })
  return [
    '## Process settings',
    'Flags of the commands, or environment variables; a flag counts before its variable. They are read once, at start.',
    ['| flag | variable | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n'),
  ].join('\n\n')
}

function* nodesOf(node: Node): Generator<Node> {
  yield node
  for (const inner of node.children ?? []) yield* nodesOf(inner)
}

/** As it stands in the file, comments included, without the indentation that it has there. */
function textOf({ offset, length }: Node, shipped: string): string {
  const lineStart = shipped.lastIndexOf('\n', offset) + 1
  const indent = /^ */.exec(shipped.slice(lineStart))?.[0] ?? ''
  return shipped.slice(offset, offset + length).replaceAll(`\n${indent}`, '\n')
}

const fenced = (text: string): string => `\`\`\`jsonc\n${text}\n\`\`\``
