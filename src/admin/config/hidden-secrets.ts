import { createHmac, randomBytes } from 'node:crypto'
import { findNodeAtLocation, getNodeValue, type Node, parseTree, visit } from 'jsonc-parser'
import type { PluginSet } from '../../config/choose-plugin.js'
import { secretPlaces } from '../../config/secrets.js'
import { pointer as compilePointer } from '../../lib/json/pointer.js'

/** With quotes, it stands for a value as it is written. */
const PLACEHOLDER = /"\[hidden [0-9a-f]{12}\]"|\[hidden [0-9a-f]{12}\]/g

/** Shorter ones are not looked for in comments: they would be found within words. */
const SHORTEST = 8

interface Replacement {
  readonly offset: number
  readonly length: number
  readonly placeholder: string
}

/**
 * Shows the text of config files without the secrets that are written in it, and puts them back. A placeholder stands for one
 * secret, wherever somebody moves it. References such as `${env:...}` are no secrets and stay.
 */
export class HiddenSecrets {
  /** Of this process, so that nobody can try out the secret of a placeholder. */
  readonly #key = randomBytes(32)
  /** Written texts by placeholder. */
  readonly #written = new Map<string, string>()

  /** `others`: secrets, which a comment may repeat. The text should have no syntax error. */
  hide(text: string, plugins: PluginSet, others: Iterable<string> = []): string {
    const root = parseTree(text, [], { allowTrailingComma: true })
    if (root === undefined) return text
    const places = secretPlaces(getNodeValue(root), plugins)
    const values = places.flatMap(({ pointer }): Replacement[] => {
      const node = nodeAt(root, pointer)
      if (node === undefined) return []
      const { offset, length } = node
      return [
        { offset, length, placeholder: `"${this.#placeholderOf(text.slice(offset, offset + length))}"` },
      ]
    })
    const secrets = [...places.map((place) => place.text), ...others].filter(
      ({ length }) => length >= SHORTEST,
    )
    return [...values, ...this.#inComments(text, secrets)]
      .toSorted((one, other) => other.offset - one.offset)
      .reduce(
        (shown, { offset, length, placeholder }) =>
          shown.slice(0, offset) + placeholder + shown.slice(offset + length),
        text,
      )
  }

  /** The text with its secrets; undefined if a placeholder in it stands for none. */
  restore(shown: string): string | undefined {
    let isComplete = true
    const text = shown.replaceAll(PLACEHOLDER, (placeholder) => {
      const written = this.#written.get(placeholder.replaceAll('"', ''))
      isComplete &&= written !== undefined
      return written ?? placeholder
    })
    return isComplete ? text : undefined
  }

  #inComments(text: string, secrets: readonly string[]): Replacement[] {
    const found: Replacement[] = []
    const onComment = (from: number, size: number) => {
      const comment = text.slice(from, from + size)
      for (const secret of new Set(secrets))
        for (let at = comment.indexOf(secret); at !== -1; at = comment.indexOf(secret, at + secret.length)) {
          const [offset, { length }] = [from + at, secret]
          if (!found.some((one) => offset < one.offset + one.length && one.offset < offset + length))
            found.push({ offset, length, placeholder: this.#placeholderOf(secret) })
        }
    }
    visit(text, { onComment })
    return found
  }

  #placeholderOf(written: string): string {
    const digest = createHmac('sha256', this.#key).update(written).digest('hex').slice(0, 12)
    const placeholder = `[hidden ${digest}]`
    this.#written.set(placeholder, written)
    return placeholder
  }
}

function nodeAt(root: Node, pointer: string): Node | undefined {
  const path: (string | number)[] = []
  for (const token of compilePointer(pointer).tokens) {
    const parent = findNodeAtLocation(root, path)
    path.push(parent?.type === 'array' ? Number(token) : token)
  }
  return findNodeAtLocation(root, path)
}
