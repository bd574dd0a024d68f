import { readFileSync } from 'node:fs'
import type { ErrorCode } from '../../errors.js'
import { child } from '../../json/pointer.js'

/** Where ${env:...} references are looked up. */
export type Environment = Readonly<{ [name: string]: string | undefined }>

export interface ProviderProblem {
  readonly pointer: string
  readonly code: ErrorCode
  readonly message: string
  readonly suggestion?: string
}

export interface Substituted {
  readonly value: unknown
  readonly problems: readonly ProviderProblem[]
  /** Every value that a provider gave, and the reference that may be shown in its place. */
  readonly secrets: ReadonlyMap<string, string>
}

/** `${env:NAME}`, `${file:/path}`, `${file:/path:key}`; and `${NAME}`, which people write by mistake. */
const REFERENCE = /\$\{(?:([a-z]+):([^}]*)|([A-Za-z_][A-Za-z0-9_]*))\}/g

/** Puts the values of Kafka's config providers (KIP-297) in place of the references, in every string of the config. */
export function substitute(config: unknown, environment: Environment): Substituted {
  const problems: ProviderProblem[] = []
  const secrets = new Map<string, string>()
  const inString = (text: string, pointer: string): string =>
    text.replace(
      REFERENCE,
      (reference, provider: string | undefined, argument: string, bare: string | undefined) => {
        const found =
          provider === undefined ? bareReference(bare ?? '') : look(provider, argument, environment)
        if ('value' in found) {
          secrets.set(found.value, reference)
          return found.value
        }
        problems.push({ pointer, code: 'HG_CONFIG_PROVIDER', ...found })
        return reference
      },
    )
  const walk = (value: unknown, pointer: string): unknown => {
    if (typeof value === 'string') return inString(value, pointer)
    if (Array.isArray(value)) return value.map((element, index) => walk(element, child(pointer, index)))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, walk(member, child(pointer, key))]),
    )
  }
  return { value: walk(config, ''), problems, secrets }
}

type Found = { readonly value: string } | { readonly message: string; readonly suggestion?: string }

function look(provider: string, argument: string, environment: Environment): Found {
  if (provider === 'env') return fromEnvironment(argument, environment)
  if (provider === 'file') return fromFile(argument)
  return {
    message: `There is no provider "${provider}".`,
    suggestion: 'Providers are ${env:NAME} and ${file:/path}.',
  }
}

function bareReference(name: string): Found {
  return { message: `"\${${name}}" names no provider.`, suggestion: `Did you mean "\${env:${name}}"?` }
}

function fromEnvironment(name: string, environment: Environment): Found {
  const value = environment[name]
  if (value === undefined) return { message: `The environment variable ${name} is not set.` }
  if (value === '') return { message: `The environment variable ${name} is empty.` }
  return { value }
}

function fromFile(argument: string): Found {
  const [, path = argument, key] = /^(.*?)(?::([^:/\\]+))?$/.exec(argument) ?? []
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return { message: `The file ${path} cannot be read: ${reason(error)}.` }
  }
  if (key === undefined) return { value: text.replace(/\r?\n$/, '') }
  const value = properties(text).get(key)
  return value === undefined ? { message: `The file ${path} has no key "${key}".` } : { value }
}

/** `key=value` or `key: value` lines, as in Java's properties files; without their escapes. */
function properties(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#!\s=:][^=:\s]*)\s*[=:]\s*(.*)$/.exec(line)
    if (match !== null) found.set(match[1] as string, match[2] as string)
  }
  return found
}

const REASONS: { readonly [code: string]: string } = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

/** Why a file could not be read, for people. */
export const reason = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return REASONS[code ?? ''] ?? message
}
