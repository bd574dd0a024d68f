import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { distance } from 'fastest-levenshtein'
import type { Unplaced } from './lint-names.js'
import { shortest } from './provider-values.js'
import type { Environment, Origin, Resolved } from './providers.js'
import type { SecretValue } from './secrets.js'

type FromFile = Omit<Resolved, 'origin'> & { readonly origin: Origin }

/** With this many references into it, a file or a folder probably belongs to this config alone. */
const OWN_FROM = 2

/**
 * The key of a file, or the file of a folder, if it is the only one that no reference names. `config` is the config file as
 * written, with its references. Checks whether a key has a value, and does not use the value itself.
 */
export function* unusedSecrets(
  resolved: readonly Resolved[],
  config: unknown,
  environment: Environment,
): Generator<Unplaced> {
  const fromFiles = resolved.filter((one): one is FromFile => 'path' in one.origin)
  for (const references of grouped(fromFiles, ({ path }) => path)) yield* unusedKey(references)
  const named = [JSON.stringify(config), ...Object.values(environment)].join('\n')
  for (const references of grouped(fromFiles, ({ folder }) => folder?.path))
    yield* unusedFile(references, fromFiles, named)
}

function* unusedKey(references: readonly FromFile[]): Generator<Unplaced> {
  const [first] = references
  const keyed = references.flatMap(({ origin }) => origin.keyed ?? [])
  const used = new Set(keyed.map(({ key }) => shortest(key)))
  // A reference to the whole file may be to all of its keys.
  if (first === undefined || keyed.length < references.length || used.size < OWN_FROM) return
  const left = keyed[0]?.keys().filter((key) => !used.has(key)) ?? []
  const [key] = left
  if (key === undefined || left.length > 1) return
  const { written } = first.origin
  yield {
    pointer: first.pointer,
    name: 'unused-secret',
    message: `References name all keys of the file ${written} except "${key}".`,
    suggestion: `Remove it from the file, or refer to it: "\${file:${written}:${key}}".`,
  }
}

/** Files that Kubernetes and cert-manager put next to secrets, and other files that hold no secret. */
const NO_SECRET = /^\.|^namespace$|\.(?:crt|cer|md)$/

/** `named`: all texts that may name a file of the folder by its path, such as the path of a TLS key. */
function* unusedFile(
  references: readonly FromFile[],
  fromFiles: readonly FromFile[],
  named: string,
): Generator<Unplaced> {
  const [first] = references
  const folder = first?.origin.folder
  if (first === undefined || folder === undefined) return
  const paths = fromFiles.map(({ origin }) => origin.path)
  const used = new Set(paths.filter((path) => dirname(path) === folder.path).map((path) => basename(path)))
  if (used.size < OWN_FROM) return
  const left = filesIn(folder.path).filter(
    (name) => !used.has(name) && !NO_SECRET.test(name) && !named.includes(`/${name}`),
  )
  const [name] = left
  if (name === undefined || left.length > 1) return
  yield {
    pointer: first.pointer,
    name: 'unused-secret',
    message: `References name all files of the folder ${folder.written} except "${name}".`,
    suggestion: `Remove it from the folder, or refer to it: "\${dir:${folder.written}:${name}}".`,
  }
}

function grouped(all: readonly FromFile[], by: (origin: Origin) => string | undefined): FromFile[][] {
  const groups = new Map<string, FromFile[]>()
  for (const one of all) {
    const group = by(one.origin)
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), one])
  }
  return [...groups.values()]
}

/** Headgate may be allowed to read the files of a folder and not to list it: then the lint reports nothing. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile())
  } catch {
    return []
  }
}

/** Up to the first underscore: the variables of one program usually share this prefix. */
const FAMILY = /^[^_]+_/

/**
 * Variables that are set and whose name looks like a typo of one that the config refers to. Most variables of an environment
 * are meant for other programs, so only the families count of which the config uses at least two variables.
 */
export function* unusedVariables(
  resolved: readonly Resolved[],
  environment: Environment,
): Generator<Unplaced> {
  const used = new Map<string, Resolved>()
  for (const one of resolved)
    if ('variable' in one.origin && !used.has(one.origin.variable)) used.set(one.origin.variable, one)
  const families = [...used.keys()].map(familyOf)
  const others = Object.keys(environment).filter((name) => !used.has(name) && environment[name])
  for (const [name, { pointer }] of used) {
    if (families.filter((family) => family === familyOf(name)).length < 2) continue
    for (const other of others.filter((other) => isTypo(other, name))) {
      yield {
        pointer,
        name: 'unused-variable',
        message: `The environment variables ${name} and ${other} are both set, and nothing refers to ${other}.`,
        suggestion: `Unset ${other}, or correct the name in this reference.`,
      }
    }
  }
}

const familyOf = (name: string): string => FAMILY.exec(name)?.[0].toLowerCase() ?? name

/** HOST and PORT, ID and IP, A1 and A2 are also close to each other, and none is a typo of the other. */
const SHORTEST_WORD = 5

function isTypo(a: string, b: string): boolean {
  if (familyOf(a) !== familyOf(b)) return false
  if (withoutMarks(a) === withoutMarks(b)) return true
  const [left, right] = [a.split('_'), b.split('_')]
  const different = left.flatMap((word, index) => (word === right[index] ? [] : [[word, right[index] ?? '']]))
  const [[one = '', two = ''] = []] = different
  if (left.length !== right.length || different.length !== 1 || /\d/.test(one + two)) return false
  if (Math.min(one.length, two.length) < SHORTEST_WORD) return false
  const far = distance(one, two)
  return far === 1 || (far === 2 && sorted(one) === sorted(two))
}

const withoutMarks = (name: string): string => name.replaceAll('_', '').toLowerCase()
const sorted = (word: string): string => [...word].sort().join('')

const MIN_LENGTH = 8

/** One ordinary word, which other texts probably contain too. */
const WORD = /^\p{L}{1,11}$/u

/** Secrets that an attacker can guess, and that look like ordinary words in a log. `names`: the names in this config. */
export function* shortSecrets(
  secrets: readonly SecretValue[],
  names: ReadonlySet<string>,
): Generator<Unplaced> {
  for (const { pointer, value, fromReference } of secrets) {
    const why = !fromReference ? undefined : weakness(value, names)
    if (why === undefined) continue
    yield {
      pointer,
      name: 'secret-short',
      message: `This secret ${why}: an attacker can guess it, and Headgate cannot tell it from ordinary words in logs and responses.`,
      suggestion: 'Choose a long random secret: "openssl rand -hex 32" makes one.',
    }
  }
}

function weakness(secret: string, names: ReadonlySet<string>): string | undefined {
  if (secret.length < MIN_LENGTH) return `has fewer than ${MIN_LENGTH} characters`
  if (names.has(secret)) return 'is also a name in this config'
  if (WORD.test(secret)) return 'is one word'
  return undefined
}
