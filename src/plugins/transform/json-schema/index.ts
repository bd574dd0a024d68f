import { definePlugin } from '../../../contract/index.js'
import { LINTS, lintSchema, problems } from './checks.js'
import { linkSettings } from './compile.js'
import { readMain } from './documents.js'
import { SchemaStage } from './json-schema.js'
import { Settings } from './settings.js'

export const jsonSchema = definePlugin({
  kind: 'transform',
  name: 'json-schema',
  summary: 'Checks the event against a JSON Schema; every violation is reported, not only the first.',
  config: Settings,

  check: (settings, { files }) => problems(settings, files),
  lints: LINTS,
  lint: (settings, { files }) => lintSchema(linkSettings(settings, files)),
  ensures: ({ schema }, { files }) => readMain(files, schema).schema,

  create: (config, { files }) => new SchemaStage(config, files),
})
