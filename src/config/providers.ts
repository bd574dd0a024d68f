import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { ErrorCode } from '../contract/errors.js'
import { child } from '../lib/json/pointer.js'
import { type Contents, readText, reason } from './files.js'
import { didYouMean } from './problem.js'
import {
  type KeyLookup,
  keysOfJson,
  keysOfProperties,
  lookUpJson,
  lookUpProperty,
} from './provider-values.js'

/** The variables for ${env:...} references. */
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
  /** The references that have a value, in the order of the file. */
  readonly resolved: readonly Resolved[]
  /** Absolute paths of the files that providers read, or tried to. */
  readonly read: readonly string[]
  /** The texts of the files that could be read. */
  readonly texts: Contents
}

/** A reference and the source of its value. */
export interface Resolved {
  readonly pointer: string
  /** As `${env:KAFKA_BROKERS}`. */
  readonly reference: string
  readonly value: string
  readonly origin: Origin | { readonly variable: string }
}

/** `${provider:argument}`; and two common mistakes: `${NAME}`, and a reference that is never closed. */
const REFERENCE = /\$\$\{|\$\{(?:([A-Za-z]+):([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*)\}|(?:env|file|dir):[^}]*$)/g

/** Means the text `${` itself. */
const ESCAPED = '$${'

const PROVIDERS = ['env', 'file', 'dir']
const FORMS =
  'Valid references are ${env:NAME}, ${file:PATH}, ${file:PATH:KEY} and ${dir:FOLDER:FILE}; for the text ${ itself, write $${.'

/**
 * Replaces the references to Kafka's config providers (KIP-297, KIP-421) with their values, in every text of the config. Paths
 * are relative to `folder`, the folder of the config file. With `contents`, no other files exist.
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
  return { value: walk(config, ''), problems, resolved, read: files.paths(), texts: files.texts() }
}

const UNCLOSED: Found = { message: 'A ${...} reference is never closed.', suggestion: 'Add the closing }.' }

/** An argument with white space is more likely a part of an expression than a typo. */
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
    const set = Object.keys(environment).filter((variable) => environment[variable] !== undefined)
    return { message: `The environment variable ${name} is not set.`, ...didYouMean(name, set) }
  }
  if (value === '') return { message: `The environment variable ${name} is empty.` }
  return { value }
}

/** The result of a provider: a value or a problem, never both. The message never contains a value. */
export type Found =
  | { readonly value: string; readonly origin?: Origin }
  | { readonly message: string; readonly suggestion?: string }

/** The file that a value came from: a lint reports unused keys of it. */
export interface Origin {
  /** Absolute. */
  readonly path: string
  /** The path as it is written. */
  readonly written: string
  /** Set if the reference names a key of the file. */
  readonly keyed?: {
    readonly key: string
    /** All keys of the file that have a value, as references write them. */
    keys(): readonly string[]
  }
  /** Set if the reference names a folder: its absolute path, and the folder as it is written. */
  readonly folder?: { readonly path: string; readonly written: string }
}

/** The providers that read files. Each file is read once, so that several keys of it come from the same version. */
export interface FileProviders {
  /** `${file:PATH}`: the whole file; `${file:PATH:KEY}`: a value of a properties or JSON file. */
  file(argument: string): Found
  /** `${dir:FOLDER:FILE}`: the whole file, as Kubernetes mounts the entries of a Secret. */
  dir(argument: string): Found
  /** Absolute paths of all files that references name, unreadable ones included. */
  paths(): readonly string[]
  /** The texts of the files that could be read. */
  texts(): Contents
}

/** As large as a Kubernetes Secret can be. */
const LARGEST = 1024 * 1024

/** Paths are relative to `folder`. With `only`, no other files exist. */
export function fileProviders(folder: string, only?: Contents): FileProviders {
  const contents = new Map<string, Content>()
  const read = (path: string): Content => {
    if (only === undefined) return contentAt(path)
    const text = only.get(path)
    return text === undefined ? { problem: 'cannot be read: there is no such file' } : { text }
  }
  const isThere = (path: string): boolean => only?.has(path) ?? existsSync(path)
  const contentOf = (written: string): Content => {
    const path = resolve(folder, written)
    const content = contents.get(path) ?? read(path)
    contents.set(path, content)
    return content
  }
  return {
    file(argument) {
      const { written, key } = split(argument, folder, isThere)
      if (written === '') return { message: 'The reference names no file.' }
      const content = contentOf(written)
      if ('problem' in content) return unreadable(written, key, content)
      const origin = { path: resolve(folder, written), written }
      if (key === undefined) return from(origin, whole(written, content.text))
      if (key === '') return { message: `The reference names no key of the file ${written}.` }
      const isJson = written.endsWith('.json') || content.text.trimStart().startsWith('{')
      const keys = () => (isJson ? keysOfJson : keysOfProperties)(content.text)
      const found = ofKey(written, key, (isJson ? lookUpJson : lookUpProperty)(content.text, key))
      return from({ ...origin, keyed: { key, keys } }, found)
    },
    dir(argument) {
      const at = argument.lastIndexOf(':')
      const [directory, name] = [argument.slice(0, Math.max(at, 0)), argument.slice(at + 1)]
      if (directory === '' || name === '' || name !== basename(name) || name === '..' || name === '.') {
        return { message: 'The reference should name a folder and a file in it: ${dir:FOLDER:FILE}.' }
      }
      const written = join(directory, name)
      const content = contentOf(written)
      if ('problem' in content) return unreadable(written, undefined, content)
      const path = resolve(folder, written)
      return from(
        { path, written, folder: { path: dirname(path), written: directory } },
        whole(written, content.text),
      )
    },
    paths: () => [...contents.keys()],
    texts: () =>
      new Map([...contents].flatMap(([path, content]) => ('text' in content ? [[path, content.text]] : []))),
  }
}

/**
 * Paths and keys may contain colons: the path is the longest part before a colon that exists as a file. If none exists, the path
 * ends at the first colon, as in Kafka.
 */
function split(
  argument: string,
  folder: string,
  isThere: (path: string) => boolean,
): { readonly written: string; readonly key?: string } {
  for (let end = argument.length; end > 0; end = argument.lastIndexOf(':', end - 1)) {
    const written = argument.slice(0, end)
    if (written !== '' && isThere(resolve(folder, written)))
      return end === argument.length ? { written } : { written, key: argument.slice(end + 1) }
  }
  const first = argument.indexOf(':')
  return first === -1
    ? { written: argument }
    : { written: argument.slice(0, first), key: argument.slice(first + 1) }
}

const from = (origin: Origin, found: Found): Found => ('value' in found ? { ...found, origin } : found)

interface Unreadable {
  /** Continues "The file ...". */
  readonly problem: string
  readonly isFolder?: boolean
}
type Content = { readonly text: string } | Unreadable

function contentAt(path: string): Content {
  try {
    return { text: readText(path, LARGEST) }
  } catch (error) {
    const isFolder = (error as NodeJS.ErrnoException).code === 'EISDIR'
    return { problem: `cannot be read: ${reason(error)}`, ...(isFolder && { isFolder }) }
  }
}

function unreadable(written: string, key: string | undefined, { problem, isFolder }: Unreadable): Found {
  const hint = isFolder === true && key !== undefined
  return {
    message: `The file ${written} ${problem}.`,
    ...(hint && { suggestion: `Did you mean "\${dir:${written}:${key}}"?` }),
  }
}

function whole(written: string, text: string): Found {
  const value = text.replace(/\r?\n$/, '')
  return value === '' ? { message: `The file ${written} is empty.` } : { value }
}

function ofKey(written: string, key: string, looked: KeyLookup): Found {
  if ('problem' in looked) return { message: `The file ${written} ${looked.problem}.` }
  if ('keys' in looked) {
    return { message: `The file ${written} has no key "${key}".`, ...didYouMean(key, looked.keys) }
  }
  return looked.value === '' ? { message: `The key "${key}" of the file ${written} is empty.` } : looked
}
