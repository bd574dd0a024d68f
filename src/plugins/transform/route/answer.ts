import type { JsonBody, JsonPointer } from '../../../contract/index.js'
import { canonicalNumber } from '../../../lib/json/exact-numbers.js'
import { pointer } from '../../../lib/json/pointer.js'
import type { Formula } from './formula.js'
import { MANY, placeValue } from './place-value.js'

/** Whether a condition holds of an event; undefined where only evaluating it can tell. */
export type Answer = (body: JsonBody) => boolean | undefined

/**
 * Answers without evaluating anything, for conditions that compare places with literals. In the order of JSONata: it
 * stops where that would, and leaves to it whatever could fail.
 */
export function answerTo(formula: Formula): Answer {
  switch (formula.kind) {
    case 'equals':
    case 'differs': {
      const place = pointer(formula.place)
      const literal: unknown = JSON.parse(formula.value)
      const number = typeof literal === 'number' ? canonicalNumber(formula.value) : undefined
      const ifEqual = formula.kind === 'equals'
      return (body) => {
        const found = placeValue(body.value, place.tokens)
        if (found === MANY) return undefined
        // Different numbers can be one double.
        const isEqual = found === literal && (number === undefined || sentNumber(body, place) === number)
        return found !== undefined && isEqual === ifEqual
      }
    }
    case 'and':
      return first(formula.parts.map(answerTo), false)
    case 'or':
      return first(formula.parts.map(answerTo), true)
    default:
      return () => undefined
  }
}

const sentNumber = (body: JsonBody, place: JsonPointer): string =>
  canonicalNumber(body.slice(place)?.toString('latin1') ?? '')

/** The first answer that is `deciding` or unknown; the other one where there is none. */
const first =
  (answers: readonly Answer[], deciding: boolean): Answer =>
  (body) => {
    for (const answer of answers) {
      const given = answer(body)
      if (given !== !deciding) return given
    }
    return !deciding
  }
