import type { ErrorObject } from 'ajv'
import type { Violation } from '../../../errors.js'
import { child } from '../../../json/pointer.js'

/** An answer that a sender can make arbitrarily large is no service to anybody. */
const MAX_VIOLATIONS = 100
const MAX_POINTER = 500
const MAX_LISTED = 10

/** What ajv found as places and expectations. Never holds a value of the event: answers and logs show it. */
export function violations(errors: readonly ErrorObject[]): Violation[] {
  // What a `then` or `else` demands is reported where it is violated.
  const worthSaying = errors.filter(({ keyword }) => keyword !== 'if')
  if (worthSaying.length <= MAX_VIOLATIONS) return worthSaying.map(toViolation)
  const shown = worthSaying.slice(0, MAX_VIOLATIONS - 1).map(toViolation)
  return [...shown, { pointer: '', message: `has ${worthSaying.length - shown.length} more violations` }]
}

/** One sentence for a list of violations. */
export function describe([first, ...others]: readonly Violation[]): string {
  if (first === undefined) return 'The event does not fit the schema.'
  const more =
    others.length === 0
      ? ''
      : others.length === 1
        ? ' (and 1 more violation)'
        : ` (and ${others.length} more violations)`
  return `The event does not fit the schema: ${first.pointer || 'the event'} ${first.message}${more}.`
}

function toViolation(error: ErrorObject): Violation {
  const [token, message] = complaint(error)
  const pointer = token === undefined ? error.instancePath : child(error.instancePath, token)
  return { pointer: pointer.length > MAX_POINTER ? `${pointer.slice(0, MAX_POINTER)}...` : pointer, message }
}

/** The member that is meant, where it is not the value itself, and what is said of it. */
function complaint({
  keyword,
  params,
  propertyName,
  message = 'is not valid',
}: ErrorObject): [string | undefined, string] {
  if (propertyName !== undefined) return [propertyName, `has a name that ${message}`]
  switch (keyword) {
    case 'required':
      return [params['missingProperty'], 'is required']
    case 'dependentRequired':
    case 'dependencies':
      return [params['missingProperty'], `is required where ${JSON.stringify(params['property'])} is present`]
    case 'additionalProperties':
      return [params['additionalProperty'], 'is not allowed']
    case 'unevaluatedProperties':
      return [params['unevaluatedProperty'], 'is not allowed']
    case 'propertyNames':
      return [params['propertyName'], 'has a name that is not allowed']
    case 'false schema':
      return [undefined, 'is not allowed']
    case 'type':
      return [undefined, `must be ${String(params['type']).replaceAll(',', ' or ')}`]
    case 'const':
      return [undefined, `must be ${JSON.stringify(params['allowedValue'])}`]
    case 'enum':
      return [undefined, `must be ${list(params['allowedValues'] as readonly unknown[])}`]
    default:
      return [undefined, message.replaceAll('NOT', 'not')]
  }
}

function list(allowed: readonly unknown[]): string {
  const shown = allowed.slice(0, MAX_LISTED).map((value) => JSON.stringify(value))
  if (allowed.length > MAX_LISTED) shown.push(`${allowed.length - MAX_LISTED} more`)
  return shown.length === 1 ? String(shown[0]) : `one of ${shown.join(', ')}`
}
