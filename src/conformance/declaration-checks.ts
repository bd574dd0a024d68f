import assert from 'node:assert/strict'
import { checkShape } from '../config/shape.js'
import { KINDS } from '../contract/index.js'
import type { Check, Subject } from './test-plugin.js'

interface Schema {
  readonly type?: unknown
  readonly description?: string
  readonly additionalProperties?: unknown
  readonly properties?: { readonly [name: string]: Schema }
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly const?: unknown
}

/** What the declaration itself owes: it is validation, docs and editor schema at once. */
export function declarationChecks({ definition, config }: Subject): readonly Check[] {
  return [
    {
      name: 'is declared with a kind, a name and a summary of one sentence',
      async run() {
        assert(KINDS.includes(definition.kind), `there is no kind "${definition.kind}"`)
        assert.match(definition.name, /^[a-z][a-z0-9-]*$/)
        assert.match(definition.summary, /^[A-Z].*\.$/)
      },
    },
    {
      name: 'describes every setting',
      async run() {
        const silent = [...undescribed(definition.config as Schema, '')]
        assert.deepEqual(silent, [], 'settings without a description')
      },
    },
    {
      name: 'refuses a setting that it does not have',
      async run() {
        const problems = checkShape(definition.config, { ...structuredClone(config), 'no-such-setting': 1 })
        assert(
          problems.some(({ code }) => code === 'HG_CONFIG_UNKNOWN_KEY'),
          'set additionalProperties to false',
        )
      },
    },
  ]
}

function* undescribed(schema: Schema, path: string): Generator<string> {
  for (const [name, setting] of Object.entries(schema.properties ?? {})) {
    const at = `${path}/${name}`
    if (setting.description === undefined && setting.const === undefined) yield at
    yield* undescribed(setting, at)
  }
  for (const shape of [schema.items, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
    if (shape !== undefined) yield* undescribed(shape, path)
  }
}
