import type { Violation } from '../../../../src/contract/errors.js'
import type { Event, Transform, Verdict } from '../../../../src/contract/index.js'
import { parseBody } from '../../../../src/lib/json/body.js'
import { jsonSchema } from '../../../../src/plugins/transform/json-schema/index.js'
import { fillDefaults, temporaryDirectory, testContext } from '../../../helpers/context.js'

export const event = (text: string): Event => ({
  id: 'e1',
  body: parseBody(Buffer.from(text), 1000),
  receivedAt: 0,
})

/** `schema`: its text, or what JSON.stringify makes its text of. */
export function stage(schema: object | string, formats: 'assert' | 'annotate' = 'assert'): Transform {
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema)
  const root = temporaryDirectory({ 'event.json': text })
  return jsonSchema.create(
    fillDefaults(jsonSchema, { schema: './event.json', formats }),
    testContext({ root }),
  )
}

/** Whether an event of this text passes. */
export const passes = (schema: object | string, text: string): boolean =>
  (stage(schema).apply(event(text)) as Verdict).kind === 'pass'

export function violationsOf(schema: object | string, text: string): readonly Violation[] {
  const verdict = stage(schema).apply(event(text)) as Verdict
  return verdict.kind === 'fail' ? verdict.error.violations : []
}
