import { HEADER } from '../ledger/record-headers.js'
import { type MaskPath, withoutHidden } from '../lib/json/masked.js'
import { maskedBody } from '../tap/body.js'
import { type Found, type FoundLetter, findLetters, isSettled, type Prospect } from './find.js'
import { formatLetterRef } from './letter.js'
import type { LetterLine, LetterPage, LetterSelection, ProspectLine } from './messages.js'
import type { DeadLetterSession } from './session.js'
import { jsonOf } from './shown-body.js'

/** The newest so many dead letters are looked at: more would not fit into memory. */
const MOST_LETTERS = 100_000

interface SnapshotLetter {
  readonly found: FoundLetter
  readonly line: LetterLine
}

/** The dead letters of a pipeline as they were at one time. */
export class Snapshot {
  readonly histories: Found['histories']
  readonly #readAt = new Date().toISOString()
  /** Newest first. */
  readonly #letters: readonly SnapshotLetter[]

  static async read(session: DeadLetterSession, masks: readonly MaskPath[]): Promise<Snapshot> {
    const { log, topic, delivery, judge, redact } = session
    /** By position: only while a value is read can it be seen which of its parts are masked. */
    const hiding = new Map<string, (text: string) => string>()
    const found = await findLetters({
      log,
      topic,
      proof: delivery.proof,
      pipeline: delivery.name,
      filter: {},
      includeSettled: true,
      limit: MOST_LETTERS,
      async judge(letter, value) {
        if (masks.length > 0) hiding.set(formatLetterRef(letter), hiderOf(jsonOf(value, letter), masks))
        return judge(letter, value)
      },
      onProgress() {},
    })
    const lines = found.letters.map((one) => {
      const hide = hiding.get(formatLetterRef(one.letter)) ?? ((text: string) => text)
      return { found: one, line: lineOf(one, (text) => redact(hide(text))) }
    })
    return new Snapshot(found.histories, lines.reverse())
  }

  private constructor(histories: Found['histories'], letters: readonly SnapshotLetter[]) {
    this.histories = histories
    this.#letters = letters
  }

  select(selection: LetterSelection, settled: boolean): readonly SnapshotLetter[] {
    const matches = matcherOf(selection)
    return this.#letters.filter(({ found, line }) => isSettled(found.status) === settled && matches(line))
  }

  page(selection: LetterSelection, settled: boolean, offset: number, limit: number): LetterPage {
    const selected = this.select(selection, settled)
    const codes = new Map<string, number>()
    for (const { line } of selected) codes.set(line.code, (codes.get(line.code) ?? 0) + 1)
    return {
      letters: selected.slice(offset, offset + limit).map(({ line }) => line),
      total: selected.length,
      passing: selected.filter(({ line }) => line.prospect.kind === 'passes').length,
      codes: [...codes].map(([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count),
      readAt: this.#readAt,
      limited: this.#letters.length === MOST_LETTERS,
    }
  }
}

/** Replaces in a text the values that are masked in a body; all of the text if the body cannot be read. */
export function hiderOf(value: Buffer, masks: readonly MaskPath[]): (text: string) => string {
  if (masks.length === 0) return (text) => text
  const body = maskedBody(value, masks)
  return body === undefined ? () => '***' : (text) => withoutHidden(text, body.hidden)
}

export function lineOf(
  { letter, status, prospect }: FoundLetter,
  hide: (text: string) => string,
): LetterLine {
  const { timestamp, id, stage, rule, code, message } = letter
  return {
    position: formatLetterRef(letter),
    time: new Date(timestamp).toISOString(),
    id: hide(id),
    stage,
    ...(rule !== undefined && { rule }),
    code,
    message: hide(message),
    status: status.kind,
    ...(status.kind === 'replayed' && { receipt: status.receipt }),
    ...(status.kind === 'discarded' && {
      discarded: { reason: status.reason, by: status.by, time: new Date(status.at).toISOString() },
    }),
    prospect: prospect === undefined ? { kind: 'none' } : prospectLine(prospect, hide),
  }
}

function prospectLine(prospect: Prospect, hide: (text: string) => string): ProspectLine {
  if (prospect.kind === 'passes') return { kind: 'passes', ...prospect.target }
  if (prospect.kind === 'dropped') return prospect
  return { kind: 'fails', code: prospect.error.code, message: hide(prospect.error.message) }
}

function matcherOf(selection: LetterSelection): (line: LetterLine) => boolean {
  const { code, stage, rule, id, since, until, passes } = selection
  const positions = selection.positions && new Set(selection.positions)
  const text = selection.text?.toLowerCase()
  return (line) =>
    (positions === undefined || positions.has(line.position)) &&
    (code === undefined || line.code === code) &&
    (stage === undefined || line.stage === stage) &&
    (rule === undefined || line.rule === rule) &&
    (id === undefined || line.id === id) &&
    (since === undefined || line.time >= since) &&
    (until === undefined || line.time <= until) &&
    (passes === undefined || (line.prospect.kind === 'passes') === passes) &&
    (text === undefined || `${line.id} ${line.code} ${line.message}`.toLowerCase().includes(text))
}

/** Headers that are not shown: a MAC could be copied, and parts of a request may have credentials. */
export const HIDDEN_HEADERS: readonly string[] = [HEADER.mac, HEADER.request]
