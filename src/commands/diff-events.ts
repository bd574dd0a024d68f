import { parseTree } from 'jsonc-parser'
import type { PastEvent } from '../dry-run/compare.js'
import { readCaptured } from '../scenarios/captured.js'

/** Events that came once, and what was left out of them. A sentence each, for people. */
export interface PastEvents {
  readonly events: readonly PastEvent[]
  readonly notes: readonly string[]
}

/** Bodies of events as JSON lines or as one JSON array, or the lines of `headgate dlq export`. */
export function pastEvents(text: string, pipeline: string): PastEvents {
  const whole = wholeDocument(text)
  if (whole !== undefined) {
    const events = whole.map((body, index) => ({
      pipeline,
      body: Buffer.from(body),
      name: `event ${index + 1}`,
    }))
    return { events, notes: [] }
  }
  const { events, skipped } = readCaptured(text)
  const ours = events.filter(({ letter }) => letter === undefined || letter.pipeline === pipeline)
  const others = events.length - ours.length
  return {
    events: ours.map(({ line, body, letter }) => ({
      pipeline,
      body: Buffer.from(body),
      name: `line ${line}`,
      ...(letter !== undefined && { id: letter.id }),
    })),
    notes: [
      ...(others === 0 ? [] : [`Dead letters of other pipelines are left out: ${others}.`]),
      ...skipped.map((line) => `Left out: ${line}.`),
    ],
  }
}

/**
 * The events of a text that is one JSON document of several lines or one array; undefined where it is lines. They are taken
 * as they are written: a number that goes through JavaScript can become another one.
 */
function wholeDocument(text: string): readonly string[] | undefined {
  const isArray = text.trimStart().startsWith('[')
  if (!isArray && !text.trim().includes('\n')) return undefined
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isArray) return [text]
  return (parseTree(text)?.children ?? []).map(({ offset, length }) => text.slice(offset, offset + length))
}
