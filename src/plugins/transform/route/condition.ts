import { pointer } from '../../../json/pointer.js'
import type { JsonPointer } from '../../../plugin.js'
import { compileRegex, type Regex } from '../../../regex.js'
import { compileJsonata, type Expression } from './jsonata.js'
import type { When } from './settings.js'

/** A `when`, compiled. */
export interface Condition {
  readonly regex: Regex | undefined
  /** What the regex looks at; the payload where absent. */
  readonly at: JsonPointer | undefined
  readonly expression: Expression | undefined
}

/** Throws HG_CONFIG_REGEX or HG_CONFIG_JSONATA. */
export function compileCondition({ regex, at, flags, jsonata }: When): Condition {
  return {
    regex: regex === undefined ? undefined : compileRegex(regex, flags),
    at: at === undefined ? undefined : pointer(at),
    expression: jsonata === undefined ? undefined : compileJsonata(jsonata),
  }
}

/** What a regex sees of a value: text as it is, anything else as compact JSON, and nothing of what is not there. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : JSON.stringify(value)
