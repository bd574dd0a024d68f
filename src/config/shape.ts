import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { TSchema } from 'typebox'
import type { ErrorCode } from '../contract/errors.js'
import { child } from '../lib/json/pointer.js'
import { narrowSchema } from './narrow-schema.js'
import { didYouMean, nearest } from './problem.js'

/** A violation of a schema; `key` is true if the name of a member is wrong, and not its value. */
export interface ShapeProblem {
  readonly pointer: string
  readonly key?: boolean
  readonly within?: { readonly from: number; readonly to: number }
  readonly code: ErrorCode
  readonly message: string
  readonly expected?: string
  readonly suggestion?: string
}

/** RFC 6901: empty, or tokens that each begin with a slash; ~ only as ~0 and ~1. */
const JSON_POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/

/**
 * The keywords that declare the secrets among the settings of a plugin: `secret: true` on a text or a list of texts,
 * `secretNames: '<pattern>'` on an object of which only some members are secret.
 */
export const SECRET_KEYWORDS = ['secret', 'secretNames'] as const

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  useDefaults: true,
  discriminator: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  keywords: ['expected', ...SECRET_KEYWORDS],
  // Optimizing a schema that is used once or twice in the life of a process is not worth it: it took half of the compilation.
  code: { optimize: false },
  // Compiling the meta-schema took longer than compiling all others, and TypeBox only makes valid schemas.
  validateSchema: false,
  formats: { 'json-pointer': JSON_POINTER, path: /\S/ },
})

/** By schema, and by the parts of it that a value uses. */
const compiled = new WeakMap<TSchema, Map<string, ValidateFunction>>()

/** Checks a value against a schema and fills in the defaults, in place. Every problem at once. */
export function checkShape(schema: TSchema, value: unknown): ShapeProblem[] {
  return problemsOf(compile(schema, value), value)
}

/**
 * As `checkShape`, for records, of which there are many of one form: the schema is compiled once and as a whole. To look for the
 * parts that a record uses would take longer than the check.
 */
export function shapeChecker(schema: TSchema): (value: unknown) => ShapeProblem[] {
  let validate: ValidateFunction | undefined
  return (value) => {
    validate ??= ajv.compile(schema)
    return problemsOf(validate, value)
  }
}

/** Throws an error if the schema itself is invalid, in whatever part. */
export function checkSchema(schema: TSchema): void {
  ajv.compile(schema)
}

function compile(schema: TSchema, value: unknown): ValidateFunction {
  const narrowed = narrowSchema(schema as { readonly [keyword: string]: unknown }, value)
  const forSchema = compiled.get(schema) ?? new Map<string, ValidateFunction>()
  const validate = forSchema.get(narrowed.parts) ?? ajv.compile(narrowed.schema)
  compiled.set(schema, forSchema.set(narrowed.parts, validate))
  return validate
}

const problemsOf = (validate: ValidateFunction, value: unknown): ShapeProblem[] =>
  validate(value) ? [] : withoutEchoes(worthSaying(validate.errors ?? [])).map(toProblem)

/** A setting with a typo is unknown under its name and missing under the right one: one mistake, reported at the name. */
function withoutEchoes(errors: readonly ErrorObject[]): ErrorObject[] {
  const meant = new Set(
    errors.flatMap(({ keyword, params, parentSchema, instancePath }) => {
      if (keyword !== 'additionalProperties') return []
      const properties = Object.keys((parentSchema?.['properties'] as object | undefined) ?? {})
      const name = nearest(String(params['additionalProperty']), properties)
      return name === undefined ? [] : [child(instancePath, name)]
    }),
  )
  return errors.filter(
    ({ keyword, params, instancePath }) =>
      keyword !== 'required' || !meant.has(child(instancePath, String(params['missingProperty']))),
  )
}

/** Of the errors of a union, keeps those of the alternative that fits best, or else the error that none fits. */
function worthSaying(errors: readonly ErrorObject[]): ErrorObject[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
  return errors.filter((error) => {
    if (error.keyword === 'if' || error.keyword === 'propertyNames') return false
    const union = unions.find((union) => isInside(error, union))
    if (union !== undefined) return fitsData(error, union)
    return (
      !unions.includes(error) || !errors.some((inner) => isInside(inner, error) && fitsData(inner, error))
    )
  })
}

/** The elements of a list share one schema, so the pointer of the value counts too. */
const isInside = (inner: ErrorObject, union: ErrorObject): boolean =>
  inner.schemaPath.startsWith(`${union.schemaPath}/`) &&
  (inner.instancePath === union.instancePath || inner.instancePath.startsWith(`${union.instancePath}/`))

/** An error inside an alternative is reported if that alternative is the one for this type of value. */
function fitsData(error: ErrorObject, union: ErrorObject): boolean {
  const isObject = typeof union.data === 'object' && union.data !== null && !Array.isArray(union.data)
  return (
    isObject &&
    !(error.instancePath === union.instancePath && (error.keyword === 'type' || error.keyword === 'const'))
  )
}

function toProblem(error: ErrorObject): ShapeProblem {
  const { instancePath: pointer, keyword, params, parentSchema } = error
  const properties = Object.keys((parentSchema?.['properties'] as object | undefined) ?? {})
  switch (keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty'])
      return {
        pointer: child(pointer, name),
        key: true,
        ...(properties.length === 0
          ? {
              code: 'HG_CONFIG_VALUE',
              message: `"${name}" is not a valid name here.`,
              ...expected(parentSchema),
            }
          : {
              code: 'HG_CONFIG_UNKNOWN_KEY',
              message: `There is no setting "${name}" here.`,
              expected: oneOf(properties),
            }),
        ...didYouMean(name, properties),
      }
    }
    case 'required': {
      const name = String(params['missingProperty'])
      const missing = (
        parentSchema?.['properties'] as { [name: string]: { description?: string } } | undefined
      )?.[name]
      return {
        pointer,
        code: 'HG_CONFIG_MISSING_KEY',
        message: `The setting "${name}" is missing here.`,
        ...(missing?.description !== undefined && { expected: `"${name}": ${missing.description}` }),
      }
    }
    case 'discriminator': {
      const tag = String(params['tag'])
      const tags = shapes(parentSchema, tag)
      const found = params['tagValue']
      return {
        pointer: found === undefined ? pointer : child(pointer, tag),
        code: found === undefined ? 'HG_CONFIG_MISSING_KEY' : 'HG_CONFIG_VALUE',
        message: found === undefined ? `The setting "${tag}" is missing here.` : `There is no such ${tag}.`,
        expected: oneOf(tags),
        ...(typeof found === 'string' && didYouMean(found, tags)),
      }
    }
    default:
      return {
        pointer,
        code: 'HG_CONFIG_VALUE',
        message: `${complaint(error)}.`,
        ...expected(parentSchema, error),
        ...(typeof error.data === 'string' && didYouMean(error.data, wordsOf(error))),
      }
  }
}

const SHOULD = 'This value should be '

function complaint({ keyword, params, message }: ErrorObject): string {
  const limit = params['limit'] as number | undefined
  switch (keyword) {
    case 'type':
      return `This value should be ${[params['type']].flat().map(article).join(' or ')}`
    case 'pattern':
    case 'format':
      return 'Invalid value: it has the wrong format'
    case 'anyOf':
    case 'oneOf':
    case 'const':
    case 'enum':
      return 'Invalid value: it is not one of the allowed values'
    case 'minimum':
      return `This value should be at least ${limit}`
    case 'maximum':
      return `This value should be at most ${limit}`
    case 'exclusiveMinimum':
      return `This value should be more than ${limit}`
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return limit === 1
        ? 'This value should not be empty'
        : `This value should have at least ${limit} elements`
    case 'uniqueItems':
      return 'This list has the same element twice'
    default:
      return message === undefined ? 'Invalid value' : `Invalid value: it ${message}`
  }
}

/** The allowed texts, if only certain ones are. */
function wordsOf({ keyword, params, schema }: ErrorObject): string[] {
  if (keyword === 'enum') return params['allowedValues'] as string[]
  if (keyword !== 'anyOf' && keyword !== 'oneOf') return []
  return (schema as { readonly const?: unknown }[]).flatMap(({ const: word }) =>
    typeof word === 'string' ? [word] : [],
  )
}

const article = (type: string): string => (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`)

/** The expected value, as the schema describes it. */
function expected(
  schema: ErrorObject['parentSchema'],
  error?: ErrorObject,
): { expected: string } | undefined {
  const words = schema?.['expected']
  if (error?.keyword === 'const') return { expected: JSON.stringify(error.params['allowedValue']) }
  if (error?.keyword === 'enum') return { expected: oneOf(error.params['allowedValues'] as string[]) }
  if (typeof words === 'string') return { expected: words }
  const [meaning, constraint] = [schema?.['description'], error && complaint(error)]
  if (typeof meaning !== 'string') return undefined
  // The meaning of a setting does not say which values are valid.
  return {
    expected: constraint?.startsWith(SHOULD) ? `${constraint.slice(SHOULD.length)}: ${meaning}` : meaning,
  }
}

const shapes = (schema: ErrorObject['parentSchema'], tag: string): string[] =>
  ((schema?.['oneOf'] as { properties: { [tag: string]: { const: string } } }[] | undefined) ?? []).map(
    (shape) => shape.properties[tag]?.const ?? '',
  )

const oneOf = (names: readonly string[]): string =>
  `one of ${names.map((name) => JSON.stringify(name)).join(', ')}`
