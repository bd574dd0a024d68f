import { matcherOf } from '../../dead-letters/filter.js'
import { type Found, type FoundLetter, isSettled } from '../../dead-letters/find.js'
import { type DeadLetter, formatLetterRef, type LetterRef } from '../../dead-letters/letter.js'
import type { RunOptions } from '../../dead-letters/partition-replay.js'
import type { DeadLetterSession } from '../../dead-letters/session.js'
import { printable } from '../../lib/terminal/text.js'
import type { Io } from '../command.js'
import { formatStatus, UNKNOWN } from './list.js'
import type { Selection } from './selection.js'
import { find } from './session.js'

const MOST_LISTED = 20

/** A selected dead letter that is not settled, and why. */
export interface Refusal {
  readonly position: string
  readonly id: string
  readonly why: string
}

export interface Choice {
  readonly found: Found
  /** Not replayed or discarded yet. */
  readonly open: readonly FoundLetter[]
  /** Positions from the command line that do not exist, or are settled already. */
  readonly refused: readonly Refusal[]
}

/**
 * Finds the dead letters to settle. Every position from the command line is either in `open` or in `refused`.
 * `takesUnknown`: also those that nothing proves.
 */
export async function choose(
  session: DeadLetterSession,
  selection: Selection,
  io: Io,
  prospects: boolean,
  takesUnknown: boolean,
): Promise<Choice> {
  const { refs } = selection.filter
  const found = await find(session, { ...selection, includeSettled: refs !== undefined }, io, prospects)
  const isAbsent = (ref: LetterRef) => {
    const isNamed = matcherOf({ refs: [ref] })
    return !found.letters.some(({ letter }) => isNamed(letter))
  }
  const absent = (refs ?? []).filter(isAbsent)
  const settled = found.letters.filter(({ status }) => isSettled(status))
  const unknown = found.letters.filter(({ status }) => status.kind === 'unknown' && !takesUnknown)
  return {
    found,
    open: found.letters.filter((letter) => !isSettled(letter.status) && !unknown.includes(letter)),
    refused: [
      ...absent.map(({ topic, partition, offset }) => ({
        position: topic === undefined ? `${partition}:${offset}` : `${topic}:${partition}:${offset}`,
        id: '',
        why: `this pipeline has no such dead letter in topic "${session.topic}", or a filter excludes it`,
      })),
      ...settled.map(({ letter, status }) => refusal(letter, `already ${formatStatus(status)}`)),
      ...unknown.map(({ letter }) => refusal(letter, `${UNKNOWN}; --force sends it all the same`)),
    ],
  }
}

export const refusal = (letter: DeadLetter, why: string): Refusal => ({
  position: formatLetterRef(letter),
  id: letter.id,
  why,
})

/** Says what a run waits for. */
export const onInDoubt =
  ({ err }: Pick<Io, 'err'>): RunOptions['onInDoubt'] =>
  (inDoubt, wait) => {
    const runs = [...new Set(inDoubt.map(({ claim }) => claim.by))].join(', ')
    err(
      `An earlier replay (${runs}) may have sent ${inDoubt.length} of them. ` +
        `In ${wait / 1000} s, none of its records can be in flight any more; then this command searches for them.\n`,
    )
  }

/** A title with their number, and the first of them. */
export function listRefusals(title: string, refusals: readonly Refusal[]): string[] {
  if (refusals.length === 0) return []
  const lines = refusals.slice(0, MOST_LISTED).map(
    ({ position, id, why }) =>
      `  ${[position, id, why]
        .filter((part) => part !== '')
        .map(printable)
        .join('  ')}`,
  )
  const more = refusals.length - lines.length
  return [`${title} (${refusals.length}):`, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])]
}
