import { Ajv, type Options } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { compileEcmaRegex } from '../../../regex.js'
import { uniqueItems } from './unique-items.js'

export type Draft = '07' | '2020-12'

/** By "$schema", without its scheme and its empty fragment. */
export const DRAFTS: ReadonlyMap<string, Draft> = new Map([
  ['json-schema.org/draft-07/schema', '07'],
  ['json-schema.org/draft/2020-12/schema', '2020-12'],
])

// Formats are V8 regular expressions, and the text is a stranger's. The "full" ones are as strict as the RFCs and take
// linear time (measured on adversarial texts of one MiB), all but `url`: of that, `uri` is the standard's own.
const { url: _quadratic, ...formats } = fullFormats

const OPTIONS: Options = {
  allErrors: true,
  allowUnionTypes: true,
  strictTypes: false,
  strictTuples: false,
  // Numbers that a double cannot hold (1e400) are numbers all the same; what goes on is their bytes.
  strictNumbers: false,
  // 19.99 is a multiple of 0.01, whatever the division of two doubles says.
  multipleOfPrecision: 6,
  // Without it, `required: ["constructor"]` would be met by every object.
  ownProperties: true,
  logger: false,
  formats,
  // A pattern that the config or its author got wrong must not hang the process. Code points are what RE2 reads, so the
  // flag u that ajv asks for is always met.
  code: {
    regExp: Object.assign((pattern: string) => compileEcmaRegex(pattern), { code: 'compileEcmaRegex' }),
  },
}

export function newAjv(draft: Draft, options: Options = {}): Ajv {
  const all = { ...OPTIONS, ...options }
  const ajv = draft === '07' ? new Ajv(all) : new Ajv2020(all)
  // Ajv follows "$anchor", and calls it unknown.
  if (draft === '2020-12') ajv.addKeyword('$anchor')
  return ajv.removeKeyword('uniqueItems').addKeyword(uniqueItems)
}

const checkers = new Map<Draft, Ajv>()

/**
 * One for all schemas of a draft, to validate the schemas themselves: those that say what a schema is take longer to compile
 * than most that are written.
 */
export function schemaChecker(draft: Draft): Ajv {
  const checker = checkers.get(draft) ?? newAjv(draft, { code: { ...OPTIONS.code, optimize: false } })
  checkers.set(draft, checker)
  return checker
}
