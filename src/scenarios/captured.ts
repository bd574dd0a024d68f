/** An event that came once. */
export interface Captured {
  readonly line: number
  /** As text: what is not UTF-8 never became an event. */
  readonly body: string
  /** Of a dead letter: where it was turned away, and the id it had. */
  readonly letter?: { readonly pipeline: string; readonly id: string }
}

export interface ReadCaptured {
  readonly events: readonly Captured[]
  /** Lines that no scenario can be made of, and why. */
  readonly skipped: readonly string[]
}

/** Reads the lines of `headgate dlq export`, or bodies of events, one a line; both may stand in one file. */
export function readCaptured(text: string): ReadCaptured {
  const events: Captured[] = []
  const skipped: string[] = []
  for (const [index, body] of text.split(/\r?\n/).entries()) {
    const line = index + 1
    if (body.trim() === '') continue
    const letter = exported(body)
    if (letter === undefined) events.push({ line, body })
    else if (letter.valueEncoding !== 'utf-8') skipped.push(`line ${line} is not UTF-8`)
    else events.push({ line, body: letter.value, letter })
  }
  return { events, skipped }
}

interface ExportedLetter {
  readonly pipeline: string
  readonly id: string
  readonly value: string
  readonly valueEncoding: string
}

/** Undefined for what `headgate dlq export` did not write. */
function exported(line: string): ExportedLetter | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const letter = value as { readonly [name in keyof ExportedLetter | 'headers']?: unknown }
  const isLetter =
    Array.isArray(letter.headers) &&
    [letter.pipeline, letter.id, letter.value, letter.valueEncoding].every((text) => typeof text === 'string')
  return isLetter ? (value as ExportedLetter) : undefined
}
