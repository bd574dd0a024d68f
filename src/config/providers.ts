import type { ErrorCode } from '../contract/errors.js'
import { child } from '../lib/json/pointer.js'
import type { Contents } from './files.js'
import { didYouMean } from './problem.js'
import { type Found, fileProviders, type Origin } from './provider-files.js'

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
  /** What references could be resolved, in the order of the file. */
  readonly resolved: readonly Resolved[]
  /** Absolute paths of the files that providers read, or tried to. */
  readonly read: readonly string[]
  /** The texts of those that could be read. */
  readonly texts: Contents
}

/** A reference, and where its value came from. */
export interface Resolved {
  readonly pointer: string
  /** As `${env:KAFKA_BROKERS}`. */
  readonly reference: string
  readonly value: string
  readonly origin: Origin | { readonly variable: string }
}

/** `${provider:argument}`; and what people write by mistake: `${NAME}`, and a reference that is never closed. */
const REFERENCE = /\$\$\{|\$\{(?:([A-Za-z]+):([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*)\}|(?:env|file|dir):[^}]*$)/g

/** Stands for `${` where no reference is meant. */
const ESCAPED = '$${'

const PROVIDERS = ['env', 'file', 'dir']
const FORMS =
  'References are ${env:NAME}, ${file:PATH}, ${file:PATH:KEY} and ${dir:FOLDER:FILE}; where none is meant, write $${.'

/**
 * Puts the values of Kafka's config providers (KIP-297, KIP-421) in place of the references, in every text of the config.
 * Paths are relative to `folder`, that of the config file; with `contents`, those are all the files there are.
 */
export function substitute(
  config: unknown,
  environment: Environment,
  folder: string,
  contents?: Contents,
): Substituted {
  const problems: ProviderProblem[] = []
  const resolved: Resolved[] = []
  const files = fileProviders(folder, contents)
  const look = (provider: string, argument: string): Found => {
    switch (provider) {
      case 'env':
        return fromEnvironment(argument, environment)
      case 'file':
        return files.file(argument)
      case 'dir':
        return files.dir(argument)
      default:
        return unknownProvider(provider, argument)
    }
  }
  const inString = (text: string, pointer: string): string =>
    text.replace(REFERENCE, (reference, provider?: string, argument = '', bare?: string) => {
      if (reference === ESCAPED) return '${'
      const found =
        provider !== undefined
          ? look(provider, argument)
          : bare !== undefined
            ? bareReference(bare)
            : UNCLOSED
      if ('value' in found) {
        const { value, origin = { variable: argument } } = found
        resolved.push({ pointer, reference, value, origin })
        return value
      }
      problems.push({ pointer, code: 'HG_CONFIG_PROVIDER', ...found })
      return reference
    })
  const walk = (value: unknown, pointer: string): unknown => {
    if (typeof value === 'string') return inString(value, pointer)
    if (Array.isArray(value)) return value.map((element, index) => walk(element, child(pointer, index)))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, walk(member, child(pointer, key))]),
    )
  }
  return { value: walk(config, ''), problems, resolved, read: files.looked(), texts: files.texts() }
}

const UNCLOSED: Found = { message: 'A ${...} reference is never closed.', suggestion: 'Add the closing }.' }

/** An argument with white space is rather a part of an expression. */
const unknownProvider = (provider: string, argument: string): Found => ({
  message: `There is no provider "${provider}".`,
  suggestion: (/\s/.test(argument) ? undefined : didYouMean(provider, PROVIDERS)?.suggestion) ?? FORMS,
})

const bareReference = (name: string): Found => ({
  message: `"\${${name}}" names no provider.`,
  suggestion: `Did you mean "\${env:${name}}"?`,
})

function fromEnvironment(name: string, environment: Environment): Found {
  const value = environment[name]
  if (name === '') return { message: 'The reference names no environment variable.', suggestion: FORMS }
  if (value === undefined) {
    const set = Object.keys(environment).filter((known) => environment[known] !== undefined)
    return { message: `The environment variable ${name} is not set.`, ...didYouMean(name, set) }
  }
  if (value === '') return { message: `The environment variable ${name} is empty.` }
  return { value }
}
