import { HeadgateError } from '../../../errors.js'
import { Type } from '../../../json/type.js'
import { type CheckContext, type ConfigProblem, definePlugin, fail, pass } from '../../../plugin.js'
import { compileSchema } from './compile.js'
import { readMain } from './documents.js'
import { describe, violations } from './violations.js'

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
    },
    { additionalProperties: false },
  ),

  check: ({ schema }, { files }) => problemsOf(schema, files),
  ensures: ({ schema }, { files }) => readMain(files, schema).schema,

  create({ schema }, { files }) {
    const validate = compileSchema(files, schema)
    return {
      explain(event) {
        const fits = validate(event.body.value)
        const found = fits ? [] : violations(validate.errors ?? [])
        const looked = found.map(({ pointer, message }) => ({ at: pointer || 'the event', found: message }))
        return {
          details: [{ name: `schema ${schema}`, result: fits ? 'fits' : counted(found.length), looked }],
        }
      },
      apply(event) {
        if (validate(event.body.value)) return pass(event)
        const found = violations(validate.errors ?? [])
        return fail(new HeadgateError('HG_SCHEMA_VIOLATION', describe(found), { violations: found }))
      },
    }
  },
})

const counted = (violations: number): string =>
  violations === 1 ? '1 violation' : `${violations} violations`

function problemsOf(schema: string, files: CheckContext['files']): ConfigProblem[] {
  try {
    compileSchema(files, schema)
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
