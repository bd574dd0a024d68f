import { HeadgateError } from '../../../contract/errors.js'
import {
  type ConfigProblem,
  definePlugin,
  type Event,
  type Explanation,
  type Files,
  fail,
  pass,
  type Transform,
  type Verdict,
} from '../../../contract/index.js'
import { Type } from '../../../lib/json/pointer.js'
import { atOnce, inSlices, type Slices } from '../../../lib/slices.js'
import { type Linked, linkSchema, type Validate, validator } from './compile.js'
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

  check: (settings, { files }) => problemsOf(settings, files),
  lints: LINTS,
  lint: ({ schema, formats }, { files }) => lintSchema(linkSchema(files, schema, formats === 'assert')),
  ensures: ({ schema }, { files }) => readMain(files, schema).schema,

  create: (config, { files }) => new SchemaStage(config, files),
})

interface Settings {
  readonly schema: string
  readonly formats: 'assert' | 'annotate'
}

/** Linked by `check`, for the stage that is made of the same settings. */
const checked = new WeakMap<Settings, Linked>()

class SchemaStage implements Transform {
  readonly #settings: Settings
  readonly #files: Files
  #validate: Validate | undefined

  constructor(settings: Settings, files: Files) {
    this.#settings = settings
    this.#files = files
  }

  /** A large schema takes seconds to compile, while another config may be taking events. */
  async start(): Promise<void> {
    this.#validate ??= await inSlices(this.#compile())
  }

  apply(event: Event): Verdict {
    const found = this.#validator()(event.body)
    if (found.length === 0) return pass(event)
    return fail(new HeadgateError('HG_SCHEMA_VIOLATION', describe(found), { violations: found }))
  }

  explain({ body }: Event): Explanation {
    const found = this.#validator()(body)
    const looked = found.map(({ pointer, message }) => ({ at: pointer || 'the event', found: message }))
    const result = found.length === 0 ? 'fits' : counted(found.length)
    return { details: [{ name: `schema ${this.#settings.schema}`, result, looked }] }
  }

  /** A stage that is only asked what it would do is not started. */
  #validator(): Validate {
    this.#validate ??= atOnce(this.#compile())
    return this.#validate
  }

  *#compile(): Slices<Validate> {
    const linked =
      checked.get(this.#settings) ??
      linkSchema(this.#files, this.#settings.schema, this.#settings.formats === 'assert')
    return yield* validator(linked)
  }
}

const counted = (violations: number): string =>
  violations === 1 ? '1 violation' : `${violations} violations`

function problemsOf(settings: Settings, files: Files): ConfigProblem[] {
  try {
    checked.set(settings, linkSchema(files, settings.schema, settings.formats === 'assert'))
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
