import { HeadgateError } from '../../../contract/errors.js'
import {
  type Event,
  type Explanation,
  type Files,
  fail,
  pass,
  type Transform,
  type Verdict,
} from '../../../contract/index.js'
import { atOnce, inSlices, type Slices } from '../../../lib/slices.js'
import { checkedSchema, type Validate, validator } from './compile.js'
import type { Settings } from './settings.js'
import { describe } from './violations.js'

export class SchemaStage implements Transform {
  readonly #settings: Settings
  readonly #files: Files
  #validate: Validate | undefined

  constructor(settings: Settings, files: Files) {
    this.#settings = settings
    this.#files = files
  }

  /** A large schema takes seconds to link and to compile, while another config may be taking events. */
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

  /** A dry run does not start its stages. */
  #validator(): Validate {
    this.#validate ??= atOnce(this.#compile())
    return this.#validate
  }

  *#compile(): Slices<Validate> {
    return yield* validator(yield* checkedSchema(this.#settings, this.#files))
  }
}

const counted = (violations: number): string =>
  violations === 1 ? '1 violation' : `${violations} violations`
