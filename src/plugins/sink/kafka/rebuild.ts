import type { LoggedRecord } from '../../../contract/index.js'
import { pointer } from '../../../lib/json/pointer.js'
import type { RecordSettings } from './record.js'

/** JSON by the keys that lead to it. */
type Tree = Map<string, Tree | string>

/**
 * Puts value, key and headers of a record back to where the settings take them from, in that order: what is there already
 * is not touched. Whether the text of a key or a header was a string cannot be told; it becomes one.
 */
export function rebuilder(
  settings: Omit<RecordSettings, 'keyFallback'>,
): (record: LoggedRecord) => Buffer | undefined {
  const valueAt = pointer(settings.value).tokens
  const keyAt = settings.key === undefined ? undefined : pointer(settings.key).tokens
  const headersAt = Object.entries(settings.headers).map(([name, text]) => ({
    name,
    at: pointer(text).tokens,
  }))
  return (record) => {
    const value = record.value.toString()
    if (!isJson(value)) return undefined
    if (valueAt.length === 0) return record.value
    const root: Tree = new Map()
    plant(root, valueAt, value)
    if (keyAt !== undefined && record.key !== null) plant(root, keyAt, JSON.stringify(record.key.toString()))
    for (const { name, at } of headersAt) {
      const text = record.header(name)
      if (text !== undefined) plant(root, at, JSON.stringify(text))
    }
    return Buffer.from(written(root))
  }
}

function plant(root: Tree, tokens: readonly string[], json: string): void {
  let tree = root
  for (const [index, token] of tokens.entries()) {
    const there = tree.get(token)
    if (index === tokens.length - 1) {
      if (there === undefined) tree.set(token, json)
      return
    }
    if (typeof there === 'string') return
    const next: Tree = there ?? new Map()
    tree.set(token, next)
    tree = next
  }
}

const written = (tree: Tree | string): string =>
  typeof tree === 'string'
    ? tree
    : `{${[...tree].map(([key, value]) => `${JSON.stringify(key)}:${written(value)}`).join(',')}}`

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
