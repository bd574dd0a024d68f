import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Unplaced } from './lint-names.js'
import type { Origin } from './provider-files.js'
import { shortest } from './provider-values.js'
import type { Environment, Resolved } from './providers.js'

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
