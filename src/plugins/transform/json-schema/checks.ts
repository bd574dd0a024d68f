import { distance } from 'fastest-levenshtein'
import { HeadgateError } from '../../../contract/errors.js'
import type { ConfigProblem, Files, LintFinding, LintMeaning } from '../../../contract/index.js'
import { child } from '../../../lib/json/pointer.js'
import type { Linked } from './compile.js'
import { checkSchema } from './compile.js'
import type { Draft, JsonSchema } from './documents.js'
import { FORMATS } from './formats.js'
import { multiplied } from './recursion.js'
import { isObject, type SchemaLocation } from './resources.js'
import type { Settings } from './settings.js'

export const LINTS = {
  'schema-unknown-keyword': {
    meaning: 'A JSON Schema has a keyword that its draft does not define, and does not begin with "x-".',
    why: 'JSON Schema ignores such keywords, so a typo (`requierd`) checks nothing, and no error shows it. For keywords of other tools, begin them with "x-" or silence the warning.',
  },
  'schema-ignored-keyword': {
    meaning:
      'A JSON Schema has a keyword that has no effect where it stands: beside "$ref" in draft 07, "then" without "if", "minContains" without "contains", "nullable", or a word of another draft.',
    why: 'It reads like a rule but checks no event.',
  },
  'schema-unknown-format': {
    meaning: 'A JSON Schema names a format that the drafts do not define.',
    why: 'It asserts nothing. To check the text, write a "pattern".',
  },
  'schema-recursive-alternatives': {
    meaning:
      'A JSON Schema refers to itself from two or more of its alternatives, so that the work for an event can double with each level of its nesting.',
    why: 'Headgate can then reject a small event with HG_SCHEMA_TOO_COSTLY. Separate the alternatives before their references: by a "const" in each that only one can match, or by "if" and "then".',
  },
} as const satisfies Readonly<{ [name: string]: LintMeaning }>

const COMMON =
  '$id $schema $ref $comment title description default examples readOnly writeOnly type const enum multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern items maxItems minItems uniqueItems contains maxProperties minProperties required properties patternProperties additionalProperties dependencies propertyNames if then else allOf anyOf oneOf not format contentMediaType contentEncoding definitions'
const KEYWORDS: { readonly [draft in Draft]: ReadonlySet<string> } = {
  '07': new Set([...COMMON.split(' '), 'additionalItems']),
  '2020-12': new Set([
    ...COMMON.split(' '),
    ...'$anchor $dynamicRef $dynamicAnchor $vocabulary $defs prefixItems unevaluatedItems unevaluatedProperties dependentRequired dependentSchemas maxContains minContains contentSchema deprecated'.split(
      ' ',
    ),
  ]),
}

/** Beside a reference in draft 07, these at least say nothing of an event. */
const ANNOTATIONS = new Set(
  '$ref $id $schema $comment title description default examples readOnly writeOnly definitions deprecated'.split(
    ' ',
  ),
)

/** The longest edit distance of a typo. */
const FARTHEST = 2

export function* lintSchema({ linker }: Linked): Generator<LintFinding> {
  for (const node of linker.nodes) {
    const { location, resource } = node
    if (!isObject(location.schema) || /^https?:/.test(location.document.path)) continue
    yield* keywords(location, location.schema, resource.draft)
    const { format } = location.schema
    if (typeof format === 'string' && !FORMATS.has(format)) {
      yield finding(
        'schema-unknown-format',
        below(location, 'format'),
        `the format ${JSON.stringify(format)} is none of JSON Schema, so that it checks nothing`,
      )
    }
  }
  const targets = (anchor: string) => linker.dynamicTargets(anchor)
  for (const node of multiplied([...linker.nodes], targets)) {
    yield finding(
      'schema-recursive-alternatives',
      node.location,
      'two or more alternatives lead back to this schema, so that the work for an event can double with each level of its nesting',
    )
  }
}

function* keywords(location: SchemaLocation, schema: JsonSchema, draft: Draft): Generator<LintFinding> {
  for (const name of Object.keys(schema)) {
    const reason = ignored(name, schema, draft)
    if (reason !== undefined) {
      yield finding('schema-ignored-keyword', below(location, name), reason)
    } else if (!KEYWORDS[draft].has(name) && !/^x-/i.test(name)) {
      yield finding(
        'schema-unknown-keyword',
        below(location, name),
        `draft ${draft} has no keyword ${JSON.stringify(name)}, so that it checks nothing`,
        closest(name, KEYWORDS[draft]),
      )
    }
  }
}

function ignored(name: string, schema: JsonSchema, draft: Draft): string | undefined {
  if (
    draft === '07' &&
    typeof schema['$ref'] === 'string' &&
    KEYWORDS[draft].has(name) &&
    !ANNOTATIONS.has(name)
  )
    return 'draft 07 ignores everything beside "$ref"; put both into an "allOf"'
  if ((name === 'then' || name === 'else') && !Object.hasOwn(schema, 'if'))
    return 'there is no "if" beside it'
  if ((name === 'minContains' || name === 'maxContains') && !Object.hasOwn(schema, 'contains'))
    return 'there is no "contains" beside it'
  if (name === 'nullable') return 'it is a word of OpenAPI; write "type": ["string", "null"], say'
  const other = draft === '07' ? '2020-12' : '07'
  if (!KEYWORDS[draft].has(name) && KEYWORDS[other].has(name) && isRule(name))
    return `it is a word of draft ${other}`
  return undefined
}

const isRule = (name: string): boolean =>
  !name.startsWith('$') && name !== 'deprecated' && name !== 'contentSchema'

const below = (location: SchemaLocation, name: string): SchemaLocation => ({
  ...location,
  pointer: child(location.pointer, name),
})

function finding(
  name: keyof typeof LINTS,
  { document, pointer }: SchemaLocation,
  message: string,
  suggestion?: string,
): LintFinding {
  const where = pointer === '' ? document.path : `${document.path} at ${pointer}`
  return {
    at: '/schema',
    name,
    message: `${where}: ${message}.`,
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}

function closest(name: string, keywords: ReadonlySet<string>): string | undefined {
  const [best] = [...keywords]
    .map((keyword) => ({ keyword, far: distance(keyword, name) }))
    .sort((a, b) => a.far - b.far)
  return best === undefined || best.far > FARTHEST || best.far >= name.length - 1
    ? undefined
    : `Did you mean "${best.keyword}"?`
}

/** The problems of a schema file, each with its place in it. */
export function problems(settings: Settings, files: Files): ConfigProblem[] {
  try {
    checkSchema(settings, files)
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
