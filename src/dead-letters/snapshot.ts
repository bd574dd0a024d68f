import { HEADER } from '../ledger/record-headers.js'
import { type MaskPath, withoutHidden } from '../lib/json/masked.js'
import { maskedBody } from '../tap/body.js'
import { matcherOf } from './filter.js'
import { type Found, type FoundLetter, findLetters, isSettled, type Prospect } from './find.js'
import { type DeadLetter, formatLetterRef } from './letter.js'
import type { LetterLine, LetterPage, LetterSelection, ProspectLine, ValueCount } from './messages.js'
import type { DeadLetterSession } from './session.js'
import { jsonOf } from './shown-body.js'

/** The newest so many dead letters are looked at: more would not fit into memory. */
const MOST_LETTERS = 100_000

interface SnapshotLetter {
  readonly found: FoundLetter
  readonly line: LetterLine
  /** With the texts as they are shown: a filter must not tell more. */
  readonly shown: DeadLetter
}

/** The dead letters of a pipeline as they were at one time. */
export class Snapshot {
  readonly histories: Found['histories']
  readonly #readAt = Date.now()
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
    const letters = found.letters.map((one): SnapshotLetter => {
      const hide = hiding.get(formatLetterRef(one.letter)) ?? ((text: string) => text)
      const line = lineOf(one, (text) => redact(hide(text)))
      return { found: one, line, shown: { ...one.letter, id: line.id, message: line.message } }
    })
    return new Snapshot(found.histories, letters.reverse())
  }

  private constructor(histories: Found['histories'], letters: readonly SnapshotLetter[]) {
    this.histories = histories
    this.#letters = letters
  }

  select({ passes, ...filter }: LetterSelection, settled: boolean): readonly SnapshotLetter[] {
    const matches = matcherOf(filter)
    return this.#letters.filter(
      ({ found, line, shown }) =>
        isSettled(found.status) === settled &&
        (passes === undefined || (line.prospect.kind === 'passes') === passes) &&
        matches(shown),
    )
  }

  page(selection: LetterSelection, settled: boolean, offset: number, limit: number): LetterPage {
    const selected = this.select(selection, settled)
    const counts = (name: 'code' | 'stage' | 'rule') => {
      const { [name]: _, ...others } = selection
      return countsOf(this.select(others, settled), name)
    }
    // Another clock than this one may have written the times.
    const newest = Math.max(this.#readAt, this.#letters[0]?.shown.timestamp ?? 0)
    return {
      letters: selected.slice(offset, offset + limit).map(({ line }) => line),
      total: selected.length,
      passing: selected.filter(({ line }) => line.prospect.kind === 'passes').length,
      codes: counts('code'),
      stages: counts('stage'),
      rules: counts('rule'),
      readAt: new Date(this.#readAt).toISOString(),
      newest: new Date(newest).toISOString(),
      limited: this.#letters.length === MOST_LETTERS,
    }
  }
}

function countsOf(letters: readonly SnapshotLetter[], name: 'code' | 'stage' | 'rule'): ValueCount[] {
  const counts = new Map<string, number>()
  for (const { line } of letters) {
    const value = line[name]
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count)
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

/** Headers that are not shown: a MAC could be copied, and parts of a request may have credentials. */
export const HIDDEN_HEADERS: readonly string[] = [HEADER.mac, HEADER.request]
