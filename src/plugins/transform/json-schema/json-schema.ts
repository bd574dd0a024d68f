import { HeadgateError } from '../../../contract/errors.js'
import { type CheckContext, type ConfigProblem, definePlugin, fail, pass } from '../../../contract/index.js'
import { Type } from '../../../lib/json/type.js'
import { compileSchema, linkSchema } from './compile.js'
import { readMain } from './documents.js'
import { LINTS, lintSchema } from './lint.js'
import { describe } from './violations.js'

export const jsonSchema = definePlugin({
  kind: 'transform',
  name: 'json-schema',
  summary: 'Checks the event against a JSON Schema; every violation is reported, not only the first.',
  config: Type.Object(
    {
      schema: Type.String({
        format: 'path',
        expected: 'the path of a JSON Schema file, such as "./schemas/order.schema.json"',
        description:
          'JSON Schema file, relative to the config file: draft 07 or 2020-12, as its "$schema" says (2020-12 where it says nothing). It may refer to other files of its folder.',
      }),
      formats: Type.Union([Type.Literal('assert'), Type.Literal('annotate')], {
        default: 'assert',
        expected: '"assert" or "annotate"',
        description:
          'What the keyword "format" does. "assert": a text that is no date-time where the schema says "format": "date-time" is a violation, as most people mean it. "annotate": nothing, which is what the drafts say where an application does not say otherwise. Formats that the drafts do not define are never checked.',
      }),
    },
    { additionalProperties: false },
  ),

  check: ({ schema, formats }, { files }) => problemsOf(schema, formats, files),
  lints: LINTS,
  lint: ({ schema, formats }, { files }) => lintSchema(linkSchema(files, schema, formats === 'assert')),
  ensures: ({ schema }, { files }) => readMain(files, schema).schema,

  create({ schema, formats }, { files }) {
    const validate = compileSchema(files, schema, formats === 'assert')
    return {
      explain(event) {
        const found = validate(event.body)
        const looked = found.map(({ pointer, message }) => ({ at: pointer || 'the event', found: message }))
        const result = found.length === 0 ? 'fits' : counted(found.length)
        return { details: [{ name: `schema ${schema}`, result, looked }] }
      },
      apply(event) {
        const found = validate(event.body)
        if (found.length === 0) return pass(event)
        return fail(new HeadgateError('HG_SCHEMA_VIOLATION', describe(found), { violations: found }))
      },
    }
  },
})

const counted = (violations: number): string =>
  violations === 1 ? '1 violation' : `${violations} violations`

function problemsOf(schema: string, formats: string, files: CheckContext['files']): ConfigProblem[] {
  try {
    compileSchema(files, schema, formats === 'assert')
    return []
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error
    const { code, message, violations } = error
    if (violations.length === 0) return [{ at: '/schema', code, message }]
    return violations.map((violation) => ({
      at: '/schema',
      code,
      message: `${message.replace(/\.$/, ':')} ${violation.pointer || 'the top level'} ${violation.message}.`,
    }))
  }
}
