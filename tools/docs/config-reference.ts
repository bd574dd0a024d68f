import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser'
import type { Schema } from '../../src/config/editor-schema.js'
import { ConfigFile } from '../../src/config/schema.js'
import type { AnyDefinition, Kind } from '../../src/contract/index.js'
import { flagsOf, type SETTINGS } from '../../src/process/settings.js'
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

Generated from the declarations of the plugins and settings; change them there.

One file, \`plugins.config.json\`, configures the processing of events: [pipelines](#pipelines) of stages, and each stage is a
plugin with its settings. The file may have comments and trailing commas; with \`$schema\`, editors complete and explain the
settings. Addresses, logs and the like are [settings of the process](#process-settings). \`headgate validate\` checks the file and
prints a summary of it; Headgate does not start with a file that has a problem.

In the tables, \`a.b\` is \`b\` in the object \`a\`, and \`a[].b\` is \`b\` in each element of the list \`a\`. A duration is a whole
number with its unit (\`500ms\`, \`30s\`, \`24h\`), so is a size (\`512B\`, \`64KiB\`, \`1MiB\`). Places in an event are JSON Pointers (RFC 6901):
\`/payload/region\`, and \`""\` for the whole event. Texts may contain [references](#secrets-and-addresses) such as \`\${env:NAME}\`.`

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
    stage(
      'Source',
      source,
      'One for each pipeline: receives events from the sender and sends the responses.',
    ),
    stage(
      'Transforms',
      transforms,
      'A list; they run in order. One of them has to choose a topic, as `route` does.',
    ),
    stage('Sink', sink, 'One for each pipeline: writes the events that the transforms let pass.'),
    stage(
      'Post-commit',
      postCommit,
      'A list. They run for each durable event, after the response to the sender.',
    ),
  ]
}

function pluginSection({ kind, name, summary, config }: AnyDefinition, root: Node, shipped: string): string {
  const { properties = {} } = config as Schema
  // Plugins of two kinds may have one name.
  const isOf = (settings: Node | undefined): boolean =>
    settings?.children?.every(({ children }) => children?.[0]?.value in properties) ?? true
  const stage = [...nodesOf(root)].find(
    (node) =>
      findNodeAtLocation(node, ['plugin'])?.value === name && isOf(findNodeAtLocation(node, ['config'])),
  )
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

Each setting in the \`config\` of a pipeline overrides the one of the named sink; \`onError\` always belongs to the pipeline. \`key\`,
\`value\` and \`headers\` concern the records, and often differ between pipelines. \`brokers\` and \`properties\` belong to the Kafka
client: sinks with the same values share one client, with its connections, threads and series (label \`sink\`), named sinks or not.
If the outcome of a record becomes unknown, the session of the client ends for all pipelines that share it, and each pipeline
reads back its own records before it accepts events again. To separate pipelines, give their sinks different \`client.id\`s in
\`properties\`. When a named sink changes, all its pipelines change in one step.

Brokers know all connections of a client by its \`client.id\`, in their logs and for quotas, also those with which Headgate asks for
positions and keeps its place among instances: by default \`headgate-\` and the name of the pipeline or the named sink. Members of the
group of an inbox add \`@HOST/PROCESS\`.`

const FROM_OUTSIDE = `## External plugins

\`"plugin"\` can be the path of a file, relative to the config file (\`"./plugins/mask.mjs"\`), or an npm package with a scope or
with the prefix \`headgate-\` (\`"@acme/headgate-s3"\`, \`"headgate-mask"\`), resolved from the folder of the config file. Headgate
only loads plugins that the file itself names: neither a reference nor a typo in a name can load code. A plugin is code with all
the rights of the process: only use plugins that you trust. \`headgate plugins ./plugins/mask.mjs\` shows its settings.
[Writing a plugin](writing-a-plugin.md) explains how to make one.`

function processSection(settings: typeof SETTINGS): string {
  const rows = Object.values(settings).map((setting) => {
    const { env, default: preset, doc } = setting
    return `| \`${flagsOf(setting)}\` | \`${env}\` | ${preset === '' ? 'none' : `\`${preset}\``} | ${doc} |`
  })
  return [
    '## Process settings',
    'Set them by a flag of the command or by an environment variable; the flag overrides the variable. Headgate reads them once, at start.',
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
