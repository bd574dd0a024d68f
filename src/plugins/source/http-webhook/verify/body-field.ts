import type { Static } from 'typebox'
import { Pointer, pointer, Type } from '../../../../lib/json/pointer.js'
import { oneOf } from './one-of.js'
import { PlainSecrets, unauthenticated, type Verifier } from './verifier.js'

export const bodyFieldSettings = Type.Object(
  {
    scheme: Type.Literal('body-field', {
      description:
        'The sender puts a secret, as it is, into the body (`clientState` of Microsoft Graph). Nothing else in the body is proved.',
    }),
    at: Pointer({
      description:
        'The location of the secret. `*` stands for each element of an array, as in "/value/*/clientState": each must have it.',
    }),
    secrets: PlainSecrets(
      'The secrets that are accepted. List the old and the new one while you change them.',
    ),
  },
  { additionalProperties: false },
)

export function bodyField({ at, secrets }: Static<typeof bodyFieldSettings>): Verifier {
  const isKnown = oneOf(secrets)
  const { tokens } = pointer(at)
  return {
    parsed(body) {
      const values = valuesAt([body.value], tokens)
      if (values.length === 0) throw unauthenticated(`The body has nothing at "${at}".`)
      // One after the other: the number of elements is no secret.
      for (const value of values)
        if (typeof value !== 'string' || !isKnown(value))
          throw unauthenticated(`The value at "${at}" of the body matches no configured secret.`)
    },
  }
}

/** The values at the place, with undefined for each that is missing below an element. */
function valuesAt(values: readonly unknown[], tokens: readonly string[]): readonly unknown[] {
  return tokens.reduce<readonly unknown[]>(
    (found, token) => found.flatMap((value) => (token === '*' ? elements(value) : [member(value, token)])),
    values,
  )
}

const elements = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [undefined])

const member = (value: unknown, token: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, token)
    ? (value as { readonly [key: string]: unknown })[token]
    : undefined
