import { child } from '../lib/json/pointer.js'
import type { ProviderProblem, Substituted } from './providers.js'

/** A reference that has no value here; something else stands in its place. */
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
  /** What stands in for references, and the reference that is shown in its place. */
  readonly standIns: ReadonlyMap<string, string>
}

/** What a reference of a provider looks like where it was left standing. */
const REFERENCE = /\$\{(?:env|file|dir):[^}]*\}/g

/** Where a stand-in does no harm. In a transform it could decide on an event. */
const CONNECTS = /^(?:\/sinks|\/pipelines\/[^/]+\/(?:source|sink|postCommit))\//

/** A placeholder has to fit the setting that it stands in: the first of these that does is taken. */
const FORMS: readonly ((stem: string) => string)[] = [
  (stem) => stem,
  (stem) => `${stem}:9092`,
  (stem) => `https://${stem}`,
  (stem) => Buffer.from(stem.padEnd(Math.ceil(stem.length / 3) * 3, '-')).toString('base64'),
]

/**
 * Checks a config in which placeholders stand for what its references should have brought. Only for looking at what the
 * config would do: nothing may be connected with it. References that no placeholder fits are problems as ever.
 */
export function checkWithPlaceholders<Result extends Checked>(
  substituted: Substituted,
  check: (value: unknown, unresolved: readonly ProviderProblem[]) => Result,
): Result & Omit<Filled, 'value' | 'problems'> {
  const tried = new Map<string, number>()
  for (;;) {
    const { value, problems, placeholders, standIns } = fill(substituted, tried)
    const checked = check(value, problems)
    const complained = new Set(checked.problems.map(({ pointer }) => pointer))
    const unfit = new Set(placeholders.map(({ pointer }) => pointer).filter((at) => complained.has(at)))
    if (unfit.size === 0) return { ...checked, placeholders, standIns }
    for (const pointer of unfit) tried.set(pointer, (tried.get(pointer) ?? 0) + 1)
  }
}

function fill(substituted: Substituted, tried: ReadonlyMap<string, number>): Filled {
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
      const form = FORMS[tried.get(pointer) ?? 0]
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

/** `${env:KAFKA_BROKERS}` as `without-value-env-kafka-brokers`: a word that can be a host name too, and is found within others. */
const stemOf = (reference: string): string =>
  `without-value-${reference
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()
    .replaceAll(' ', '-')}`
