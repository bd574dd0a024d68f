import type { DeadLetter } from './letter.js'

/** A dead letter as somebody names it. */
export interface LetterPlace {
  /** Undefined if only partition and offset were given. */
  readonly topic: string | undefined
  readonly partition: number
  readonly offset: number
}

const PLACE = /^(?:([A-Za-z0-9._-]{1,249}):)?([0-9]{1,9}):([0-9]{1,15})$/
/** As the header `headgate-replay-of` has it. */
const NAME = /^([A-Za-z0-9._-]{1,249})-([0-9]{1,9})@([0-9]{1,15})$/

/** Reads `0:12`, `topic:0:12` or `topic-0@12`; undefined if the text is none of these. */
export function readPlace(text: string): LetterPlace | undefined {
  const [, topic, partition, offset] = PLACE.exec(text) ?? NAME.exec(text) ?? []
  return partition === undefined || offset === undefined
    ? undefined
    : { topic, partition: Number(partition), offset: Number(offset) }
}

export const placeOf = ({ partition, offset }: Pick<DeadLetter, 'partition' | 'offset'>): string =>
  `${partition}:${offset}`

/** Whether the dead letter is one of `places`. */
export const isAt = (letter: DeadLetter, places: readonly LetterPlace[]): boolean =>
  places.some(
    ({ topic, partition, offset }) =>
      (topic === undefined || topic === letter.topic) &&
      partition === letter.partition &&
      offset === letter.offset,
  )
