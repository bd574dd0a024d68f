import { child } from '../lib/json/pointer.js'
import type { ProviderProblem, Substituted } from './providers.js'

/** A reference that has no value on this machine; a placeholder replaces it. */
export interface Unresolved {
  readonly pointer: string
  /** As `${env:KAFKA_BROKERS}`. */
  readonly reference: string
}

interface Checked {
  readonly problems: readonly { readonly pointer: string }[]
}

type Filled = Pick<Substituted, 'value' | 'problems'> & {
  readonly placeholders: readonly Unresolved[]
  /** Each placeholder, and the reference that any output shows instead of it. */
  readonly standIns: ReadonlyMap<string, string>
}

/** A reference that `substitute` has left in a text. */
const REFERENCE = /\$\{(?:env|file|dir):[^}]*\}/g

/** The stages in which a placeholder does no harm. In a transform it could decide on an event. */
const CONNECTS = /^(?:\/sinks|\/pipelines\/[^/]+\/(?:source|sink|postCommit))\//

/** A placeholder has to be valid in its setting: the first of these that is valid is used. */
const FORMS: readonly ((stem: string) => string)[] = [
  (stem) => stem,
  (stem) => `${stem}:9092`,
  (stem) => `https://${stem}`,
  (stem) => Buffer.from(stem.padEnd(Math.ceil(stem.length / 3) * 3, '-')).toString('base64'),
]

/**
 * Checks a config in which placeholders replace the references without a value. Only for showing what the config would do:
 * nothing may connect with it. A reference remains a problem if no placeholder is valid in its setting.
 */
export function checkWithPlaceholders<Result extends Checked>(
  substituted: Substituted,
  check: (value: unknown, unresolved: readonly ProviderProblem[]) => Result,
): Result & Omit<Filled, 'value' | 'problems'> {
  const attempts = new Map<string, number>()
  for (;;) {
    const { value, problems, placeholders, standIns } = fill(substituted, attempts)
    const checked = check(value, problems)
    const invalid = new Set(checked.problems.map(({ pointer }) => pointer))
    const unfit = new Set(placeholders.map(({ pointer }) => pointer).filter((at) => invalid.has(at)))
    if (unfit.size === 0) return { ...checked, placeholders, standIns }
    for (const pointer of unfit) attempts.set(pointer, (attempts.get(pointer) ?? 0) + 1)
  }
}

function fill(substituted: Substituted, attempts: ReadonlyMap<string, number>): Filled {
  const missing = new Set(
    substituted.problems.map(({ pointer }) => pointer).filter((at) => CONNECTS.test(at)),
  )
  const standIns = new Map<string, string>()
  const placeholders: Unresolved[] = []
  const walk = (value: unknown, pointer: string): unknown => {
    if (typeof value === 'string') return missing.has(pointer) ? inString(value, pointer) : value
    if (Array.isArray(value)) return value.map((element, index) => walk(element, child(pointer, index)))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, walk(member, child(pointer, key))]),
    )
  }
  const inString = (text: string, pointer: string): string =>
    text.replace(REFERENCE, (reference) => {
      const form = FORMS[attempts.get(pointer) ?? 0]
      if (form === undefined) return reference
      const placeholder = form(stemOf(reference))
      placeholders.push({ pointer, reference })
      standIns.set(placeholder, reference)
      return placeholder
    })
  const value = walk(substituted.value, '')
  const filled = new Set(placeholders.map(({ pointer }) => pointer))
  return {
    value,
    standIns,
    placeholders,
    problems: substituted.problems.filter(({ pointer }) => !filled.has(pointer)),
  }
}

/** `${env:KAFKA_BROKERS}` as `without-value-env-kafka-brokers`: valid as a host name too, and easy to find within a text. */
const stemOf = (reference: string): string =>
  `without-value-${reference
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()
    .replaceAll(' ', '-')}`
