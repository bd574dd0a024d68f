import { isUtf8 } from 'node:buffer'
import { parseTree } from 'jsonc-parser'
import { HEADER } from '../ledger/record-headers.js'
import { isWrittenRequest, type WrittenRequest } from '../pipeline/request-parts.js'

/** An event that was received earlier. */
export interface CapturedEvent {
  readonly line: number
  /** A body that is not UTF-8 is refused and never becomes an event, so text is enough. */
  readonly body: string
  /** The parts of its request that are known. */
  readonly request?: WrittenRequest
  /** Of a dead letter that is not JSON: the media type by which it is decoded. */
  readonly contentType?: string | undefined
  /** If it is a dead letter: its pipeline and its id. */
  readonly letter?: { readonly pipeline: string; readonly id: string }
}

interface CapturedEvents {
  readonly events: readonly CapturedEvent[]
  /** Lines that cannot be used, with the reason. */
  readonly skipped: readonly string[]
}

/**
 * Reads the lines of `headgate dlq export`, events with their requests, or bodies of events, one per line; a file may contain all
 * of them.
 */
export function readCaptured(text: string): CapturedEvents {
  const events: CapturedEvent[] = []
  const skipped: string[] = []
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const line = index + 1
    if (written.trim() === '') continue
    const letter = exportedLetter(written)
    if (letter === undefined) events.push({ line, ...readEvent(written) })
    else if (letter.failedAck !== undefined) skipped.push(`line ${line} is a failed acknowledgement`)
    else if (letter.valueEncoding !== 'utf-8') skipped.push(`line ${line} is not UTF-8`)
    else events.push({ line, ...ofLetter(letter) })
  }
  return { events, skipped }
}

function ofLetter(letter: ExportedLetter): Omit<CapturedEvent, 'line'> {
  const { value: body, headers, request } = letter
  const event = { body, letter, ...(isWrittenRequest(request) && { request }) }
  const contentType: unknown = Object(headers.find((each) => Object(each).name === HEADER.contentType)).value
  if (typeof contentType !== 'string') return event
  const parts = event.request ?? {}
  return {
    ...event,
    contentType,
    request: { ...parts, headers: { 'content-type': contentType, ...parts.headers } },
  }
}

/**
 * Reads `{"request": {...}, "event": ...}` or `{"request": {...}, "text": "..."}`; any other text is the body itself. The text of
 * the event is kept: a number that goes through JavaScript can change.
 */
export function readEvent(text: string): Pick<CapturedEvent, 'body' | 'request'> {
  const { request: written, ...others } = (parsed(text) ?? {}) as { readonly [name: string]: unknown }
  const [[name, value] = ['', undefined], ...more] = Object.entries(others)
  if (!isWrittenRequest(written) || more.length > 0) return { body: text }
  const request = withLowerCase(written)
  if (name === 'text' && typeof value === 'string') return { body: value, request }
  if (name !== 'event') return { body: text }
  const members = parseTree(text)?.children ?? []
  const node = members.find(({ children }) => children?.[0]?.value === 'event')?.children?.[1]
  if (node === undefined || members.length > 2) return { body: text }
  return { body: text.slice(node.offset, node.offset + node.length), request }
}

/** The same for the bytes of a file. */
export function readEventFile(bytes: Buffer): { readonly body: Buffer; readonly request?: WrittenRequest } {
  if (!isUtf8(bytes)) return { body: bytes }
  const { body, request } = readEvent(bytes.toString())
  return request === undefined ? { body: bytes } : { body: Buffer.from(body), request }
}

const withLowerCase = ({ headers, ...others }: WrittenRequest): WrittenRequest =>
  headers === undefined
    ? others
    : {
        ...others,
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
        ),
      }

interface ExportedLetter {
  readonly pipeline: string
  readonly id: string
  readonly value: string
  readonly valueEncoding: string
  readonly headers: readonly unknown[]
  /** Only of a failed acknowledgement. */
  readonly failedAck?: object
  readonly request?: unknown
}

/** Undefined if `headgate dlq export` did not write the line. */
function exportedLetter(line: string): ExportedLetter | undefined {
  const letter = parsed(line) as { readonly [name in keyof ExportedLetter]?: unknown } | undefined
  if (letter === undefined || !Array.isArray(letter.headers)) return undefined
  const texts = [letter.pipeline, letter.id, letter.value, letter.valueEncoding]
  return texts.every((text) => typeof text === 'string') ? (letter as ExportedLetter) : undefined
}

/** Undefined if a text is not a JSON object. */
function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
