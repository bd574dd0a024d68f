import { pointer } from '../lib/json/pointer.js'
import type { Known } from './choose-plugin.js'
import type { Substituted } from './providers.js'
import { percentDecoded, type SecretPlace, secretSettings, urlPasswords } from './secrets.js'

/** Stands where a secret is written in the file itself. */
export const HIDDEN = '[hidden]'

/** A secret that the config holds, or a part of one that is secret on its own. */
export interface SecretValue {
  /** Of the setting. */
  readonly pointer: string
  readonly value: string
  /** What may be shown in place of it: the references that brought it, or `HIDDEN`. */
  readonly shown: string
  /** True for all of a secret that references brought; false for a part of it, and for what is written in the file. */
  readonly brought: boolean
}

/**
 * The secrets of a config: what its plugins declare to be secret, what stands under a telling name, and passwords within URLs,
 * whether it is written in the file or was brought by a reference. `written` is what the file says.
 */
export function secretValues(
  written: unknown,
  { value: config, resolved, problems }: Pick<Substituted, 'value' | 'resolved' | 'problems'>,
  known: Known,
): SecretValue[] {
  // The name of a plugin, and a URL, may have come from a reference; a reference tells by the name of its setting.
  const places = new Map<string, SecretPlace>()
  for (const place of [...secretSettings(written, known), ...secretSettings(config, known)])
    if (places.get(place.pointer)?.url !== undefined || !places.has(place.pointer))
      places.set(place.pointer, place)
  const incomplete = new Set(problems.map(({ pointer }) => pointer))
  return [...places.values()].flatMap((place) => {
    const value = pointer(place.pointer).read(config)
    if (typeof value !== 'string' && typeof value !== 'number') return []
    const brought = resolved.filter((one) => one.pointer === place.pointer)
    const shownFor = (part: string): string => {
      const its = brought.filter(({ value }) =>
        [value, percentDecoded(value)].some((one) => part.includes(one) || one.includes(part)),
      )
      return its.map(({ reference }) => reference).join('') || HIDDEN
    }
    const of = (part: string, isWhole: boolean): SecretValue => ({
      pointer: place.pointer,
      value: part,
      shown: shownFor(part),
      brought: isWhole && brought.length > 0,
    })
    const text = String(value)
    const passwords = urlPasswords(text)
    // Where a reference has no value it stands in the text itself.
    const complete = incomplete.has(place.pointer) ? [] : [text]
    const secrets = place.url ? passwords.slice(0, 1) : complete
    const parts = [
      ...passwords,
      ...(place.url ? [] : [...brought.map((one) => one.value), ...complete.map(bare)]),
    ]
    return [
      ...secrets.map((secret) => of(secret, true)),
      ...parts.filter((part) => part !== '' && !secrets.includes(part)).map((part) => of(part, false)),
    ]
  })
}

/** Without the scheme of an Authorization header, or the mark of Standard Webhooks. */
const bare = (text: string): string => text.replace(/^(?:(?:bearer|basic|token) +|whsec_)/i, '')

/** A problem or a warning without the secrets that it quotes. */
export const withoutSecrets = <Told extends { readonly message: string; readonly suggestion?: string }>(
  told: Told,
  redact: (text: string) => string,
): Told => ({
  ...told,
  message: redact(told.message),
  ...(told.suggestion !== undefined && { suggestion: redact(told.suggestion) }),
})
