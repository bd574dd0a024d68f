import { type JSONVisitor, visit } from 'jsonc-parser'
import type { SourceLocation } from './problem.js'

/** A comment in the config file. */
export interface Comment {
  /** Without the marks of a comment. */
  readonly text: string
  readonly location: SourceLocation
  /** The line of what it stands beside, or else of the next thing below it. */
  readonly about: number
}

/** All comments of a text, in their order. */
export function readComments(
  text: string,
  locationAt: (offset: number, length: number) => SourceLocation,
): Comment[] {
  const comments: Omit<Comment, 'about'>[] = []
  const lines: number[] = []
  const token = (offset: number, length: number): void => void lines.push(locationAt(offset, length).line)
  const named = (_: unknown, offset: number, length: number): void => token(offset, length)
  const visitor: JSONVisitor = {
    onObjectBegin: token,
    onObjectProperty: named,
    onObjectEnd: token,
    onArrayBegin: token,
    onArrayEnd: token,
    onLiteralValue: named,
    onComment(offset, length) {
      const bare = text.slice(offset, offset + length).replace(/^\/[/*]|\*\/$/g, '')
      comments.push({ text: bare.trim(), location: locationAt(offset, length) })
    },
  }
  visit(text, visitor, { allowTrailingComma: true, disallowComments: false })
  const last = lines.at(-1) ?? 1
  return comments.map((comment) => {
    const { line } = comment.location
    return { ...comment, about: lines.find((other) => other >= line) ?? last }
  })
}
