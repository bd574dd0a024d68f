import type { AnyDefinition, Kind } from '../contract/index.js'
import { child, pointer } from '../lib/json/pointer.js'
import { choosePlugin, type PluginSet } from './choose-plugin.js'
import type { Substituted } from './providers.js'

/** A secret in the file. */
export interface SecretPlace {
  readonly pointer: string
  /** As it is written. */
  readonly text: string
  /** True if the plugin declares the setting to be secret; false if only its name or its text looks like that of a secret. */
  readonly declared: boolean
  /** Only the passwords of the URLs in it are secret. */
  readonly url?: true
}

interface Schema {
  /** The setting, or each element of it, is a secret. */
  readonly secret?: boolean
  /** Pattern of the names of the secret members. */
  readonly secretNames?: string
  readonly properties?: { readonly [name: string]: Schema }
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

/** Common names of settings that hold a secret. */
const NAME =
  /(?:authorization|password|passphrase|passwd|secrets?|tokens?|api[-_.]?key|access[-_.]?key|private[-_.]?key|credentials?)$/i
/** `$${` is an escape and not a reference. */
const REFERENCE = /(?<!\$)\$\{/
const USER_INFO = /:\/\/[^\s/:@]*:([^\s/]+)@/

/** Every text in the file itself that is a secret or looks like one. `config` is the config as written. */
export const secretPlaces = (config: unknown, plugins: PluginSet): SecretPlace[] =>
  secretSettings(config, plugins).filter(({ text }) => text !== '' && !REFERENCE.test(text))

/** Every text that is a secret or looks like one, references included. */
export function secretSettings(config: unknown, plugins: PluginSet): SecretPlace[] {
  const found = new Map<string, SecretPlace>()
  for (const { kind, entry, pointer } of stages(config)) {
    const chosen =
      typeof entry['plugin'] === 'string' ? choosePlugin(kind, entry['plugin'], plugins) : undefined
    const schema = chosen !== undefined && 'definition' in chosen ? chosen.definition.config : {}
    for (const place of declared(schema as Schema, entry['config'], child(pointer, 'config')))
      found.set(place.pointer, place)
  }
  for (const place of named(config, '', false)) if (!found.has(place.pointer)) found.set(place.pointer, place)
  return [...found.values()]
}

/** The values of the settings that a plugin declares to be secret. */
export const declaredSecrets = (definition: AnyDefinition, config: unknown): string[] =>
  [...declared(definition.config as Schema, config, '')].map(({ text }) => text)

function* declared(schema: Schema, value: unknown, pointer: string): Generator<SecretPlace> {
  if (schema.secret === true) {
    for (const { text, at } of texts(value, pointer)) yield { pointer: at, text, declared: true }
    return
  }
  const names = schema.secretNames === undefined ? undefined : new RegExp(schema.secretNames)
  for (const [key, member] of membersOf(value)) {
    const at = child(pointer, key)
    const inner: Schema = names?.test(key)
      ? { secret: true }
      : ((Array.isArray(value) ? schema.items : schema.properties?.[key]) ?? {})
    yield* declared(inner, member, at)
  }
  for (const shape of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])])
    yield* declared(shape, value, pointer)
}

/** Settings with the name of a secret, and passwords within URLs. A path or pointer to a secret is not a secret. */
function* named(value: unknown, pointer: string, isSecretName: boolean): Generator<SecretPlace> {
  if (typeof value === 'string') {
    if (isSecretName && !value.startsWith('/')) yield { pointer, text: value, declared: false }
    else if (USER_INFO.test(value)) yield { pointer, text: value, declared: false, url: true }
  }
  for (const [key, member] of membersOf(value))
    yield* named(member, child(pointer, key), Array.isArray(value) ? isSecretName : NAME.test(key))
}

function* texts(value: unknown, at: string): Generator<{ text: string; at: string }> {
  if (typeof value === 'string' || typeof value === 'number') yield { text: String(value), at }
  for (const [key, member] of membersOf(value)) yield* texts(member, child(at, key))
}

const membersOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : []

/** The passwords of the URLs in a text, as written and decoded. */
export function urlPasswords(text: string): string[] {
  return [...text.matchAll(new RegExp(USER_INFO, 'g'))].flatMap(([, password = '']) => [
    password,
    percentDecoded(password),
  ])
}

/** Returns the text itself if it cannot be decoded. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** True for a URL with a password, and for a long random text, which cannot be a name, a path or an example. */
export function looksSecret(text: string): boolean {
  if (USER_INFO.test(text)) return true
  const token = text.replace(/^(?:bearer|basic|token) +/i, '')
  return /^[A-Za-z0-9+/=_.~-]{16,}$/.test(token) && entropy(token) > 3
}

/** Bits a character (Shannon). */
function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce(
    (sum, count) => sum - (count / text.length) * Math.log2(count / text.length),
    0,
  )
}

interface Stage {
  readonly kind: Kind
  readonly entry: { readonly [name: string]: unknown }
  readonly pointer: string
}

/** The stages of a file that may have any shape. */
function* stages(config: unknown): Generator<Stage> {
  const { sinks, pipelines } = (config ?? {}) as { readonly sinks?: unknown; readonly pipelines?: unknown }
  for (const [name, entry] of membersOf(sinks))
    if (typeof entry === 'object' && entry !== null)
      yield { kind: 'sink', entry: entry as Stage['entry'], pointer: child('/sinks', name) }
  for (const [name, pipeline] of membersOf(pipelines)) {
    const at = child('/pipelines', name)
    for (const [key, value] of membersOf(pipeline)) {
      const kind = KIND_OF[key]
      if (kind === undefined) continue
      const used = key === 'sink' ? namedSink(value, sinks) : undefined
      if (used !== undefined) {
        yield { kind: 'sink', entry: used, pointer: `${at}/sink` }
        continue
      }
      const list = Array.isArray(value)
        ? value.map((entry, index) => [entry, child(key, index)])
        : [[value, key]]
      for (const [entry, below] of list)
        if (typeof entry === 'object' && entry !== null) yield { kind, entry, pointer: `${at}/${below}` }
    }
  }
}

/** A reference to a named sink, as a stage with the plugin of that sink and only the settings in the pipeline. */
function namedSink(sink: unknown, sinks: unknown): Stage['entry'] | undefined {
  const { use, config } = (typeof sink === 'object' && sink !== null ? sink : {}) as Stage['entry']
  if (typeof use !== 'string') return undefined
  const [, named] = membersOf(sinks).find(([name]) => name === use) ?? []
  const { plugin } = (typeof named === 'object' && named !== null ? named : {}) as Stage['entry']
  return { plugin, config }
}

const KIND_OF: { readonly [key: string]: AnyDefinition['kind'] | undefined } = {
  source: 'source',
  transforms: 'transform',
  sink: 'sink',
  postCommit: 'post-commit',
}

/** Replaces a secret that is written in the file itself. */
export const HIDDEN = '[hidden]'

/** A secret of the config, or a part of one that is itself secret. */
export interface SecretValue {
  /** Of the setting. */
  readonly pointer: string
  readonly value: string
  /** Replaces the secret in any output: the references that it came from, or `HIDDEN`. */
  readonly shown: string
  /** True for a whole secret that came from references; false for a part of one, and for a secret in the file itself. */
  readonly fromReference: boolean
}

/**
 * The secrets of a config: settings that its plugins declare to be secret, settings with the name of a secret, and passwords
 * within URLs; written in the file or from a reference. `written` is the config as written.
 */
export function secretValues(
  written: unknown,
  { value: config, resolved, problems }: Pick<Substituted, 'value' | 'resolved' | 'problems'>,
  plugins: PluginSet,
): SecretValue[] {
  // Both: the name of a plugin and a URL can come from references, and as written a reference is found by the name of its setting.
  const places = new Map<string, SecretPlace>()
  for (const place of [...secretSettings(written, plugins), ...secretSettings(config, plugins)])
    if (places.get(place.pointer)?.url !== undefined || !places.has(place.pointer))
      places.set(place.pointer, place)
  const incomplete = new Set(problems.map(({ pointer }) => pointer))
  return [...places.values()].flatMap((place) => {
    const value = pointer(place.pointer).read(config)
    if (typeof value !== 'string' && typeof value !== 'number') return []
    const references = resolved.filter((one) => one.pointer === place.pointer)
    const shownFor = (part: string): string => {
      const sources = references.filter(({ value }) =>
        [value, percentDecoded(value)].some((one) => part.includes(one) || one.includes(part)),
      )
      return sources.map(({ reference }) => reference).join('') || HIDDEN
    }
    const of = (part: string, isWhole: boolean): SecretValue => ({
      pointer: place.pointer,
      value: part,
      shown: shownFor(part),
      fromReference: isWhole && references.length > 0,
    })
    const text = String(value)
    const passwords = urlPasswords(text)
    // If a reference has no value, the text contains the reference itself.
    const complete = incomplete.has(place.pointer) ? [] : [text]
    const secrets = place.url ? passwords.slice(0, 1) : complete
    const parts = [
      ...passwords,
      ...(place.url ? [] : [...references.map((one) => one.value), ...complete.map(bare)]),
    ]
    return [
      ...secrets.map((secret) => of(secret, true)),
      ...parts.filter((part) => part !== '' && !secrets.includes(part)).map((part) => of(part, false)),
    ]
  })
}

/** Without the scheme of an Authorization header, or the prefix of Standard Webhooks. */
const bare = (text: string): string => text.replace(/^(?:(?:bearer|basic|token) +|whsec_)/i, '')

/** A problem or a warning with the secrets in its texts replaced. */
export const withoutSecrets = <Message extends { readonly message: string; readonly suggestion?: string }>(
  text: Message,
  redact: (text: string) => string,
): Message => ({
  ...text,
  message: redact(text.message),
  ...(text.suggestion !== undefined && { suggestion: redact(text.suggestion) }),
})
