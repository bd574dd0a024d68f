import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { distance } from 'fastest-levenshtein'
import type { Unplaced } from './lint-names.js'
import { shortest } from './provider-values.js'
import type { Environment, Origin, Resolved } from './providers.js'
import type { SecretValue } from './secrets.js'

type FromFile = Omit<Resolved, 'origin'> & { readonly origin: Origin }

/** So many references show that a file or a folder is there for this config. */
const ITS_OWN = 2

/**
 * The one key of a file, or the one file of a folder, that is left over where all others are referred to. `config` is what
 * the config file says, with its references. No value is looked at but for whether there is one.
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
  if (first === undefined || keyed.length < references.length || used.size < ITS_OWN) return
  const left = keyed[0]?.keys().filter((key) => !used.has(key)) ?? []
  const [key] = left
  if (key === undefined || left.length > 1) return
  const { written } = first.origin
  yield {
    pointer: first.pointer,
    name: 'unused-secret',
    message: `No reference names the key "${key}" of the file ${written}, and all its other keys are named.`,
    suggestion: `Remove it from the file, or refer to it: "\${file:${written}:${key}}".`,
  }
}

/** What Kubernetes and cert-manager put beside secrets, and what is no secret. */
const BESIDE = /^\.|^namespace$|\.(?:crt|cer|md)$/

/** `named`: all texts that may name a file of the folder by its path, as for a key of TLS. */
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
  if (used.size < ITS_OWN) return
  const left = filesIn(folder.path).filter(
    (name) => !used.has(name) && !BESIDE.test(name) && !named.includes(`/${name}`),
  )
  const [name] = left
  if (name === undefined || left.length > 1) return
  yield {
    pointer: first.pointer,
    name: 'unused-secret',
    message: `No reference names the file "${name}" of the folder ${folder.written}, and all its other files are named.`,
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

/** A folder that may not be listed has files that can be read all the same: then nothing is known to be left over. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile())
  } catch {
    return []
  }
}

/** Up to the first underscore: what the variables of one thing have in common. */
const FAMILY = /^[^_]+_/

/**
 * Variables that are set and named like one that the config refers to, but for a slip. An environment is full of what is
 * meant for others, so only names of a family count of which the config uses at least two.
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
    for (const other of others.filter((other) => isSlip(other, name))) {
      yield {
        pointer,
        name: 'unused-variable',
        message: `The environment variable ${other} is set beside ${name}, and nothing refers to it.`,
        suggestion: 'Unset it, or correct the name in this reference.',
      }
    }
  }
}

const familyOf = (name: string): string => FAMILY.exec(name)?.[0].toLowerCase() ?? name

/** HOST and PORT, ID and IP, A1 and A2 are near each other, too, and none is a slip for the other. */
const SHORTEST_WORD = 5

function isSlip(a: string, b: string): boolean {
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

const FEW = 8

/** One ordinary word, which other texts will have too. */
const WORD = /^\p{L}{1,11}$/u

/** Secrets that can be guessed, and cannot be told from what else a log says. `names`: what this config calls its things. */
export function* shortSecrets(
  secrets: readonly SecretValue[],
  names: ReadonlySet<string>,
): Generator<Unplaced> {
  for (const { pointer, value, brought } of secrets) {
    const why = !brought ? undefined : weakness(value, names)
    if (why === undefined) continue
    yield {
      pointer,
      name: 'secret-short',
      message: `This secret ${why}: it can be guessed, and cannot be told from ordinary words in logs and answers.`,
      suggestion: 'Choose a long random one, as "openssl rand -hex 32" makes it.',
    }
  }
}

function weakness(secret: string, names: ReadonlySet<string>): string | undefined {
  if (secret.length < FEW) return `has fewer than ${FEW} characters`
  if (names.has(secret)) return 'is also a name in this config'
  if (WORD.test(secret)) return 'is one word'
  return undefined
}
