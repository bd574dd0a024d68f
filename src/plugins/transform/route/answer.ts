import { pointer } from '../../../json/pointer.js'
import type { Formula } from './formula.js'
import { MANY, placeValue } from './place-value.js'

/** Whether a condition holds of an event's value; undefined where only evaluating it can tell. */
export type Answer = (value: unknown) => boolean | undefined

/**
 * Answers without evaluating anything, for conditions that compare places with literals. In the order of JSONata: it
 * stops where that would, and leaves to it whatever could fail.
 */
export function answerTo(formula: Formula): Answer {
  switch (formula.kind) {
    case 'equals':
    case 'differs': {
      const { tokens } = pointer(formula.place)
      const literal: unknown = JSON.parse(formula.value)
      const ifEqual = formula.kind === 'equals'
      return (value) => {
        const found = placeValue(value, tokens)
        if (found === MANY) return undefined
        return found !== undefined && (found === literal) === ifEqual
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

/** The first answer that is `deciding` or unknown; the other one where there is none. */
const first =
  (answers: readonly Answer[], deciding: boolean): Answer =>
  (value) => {
    for (const answer of answers) {
      const given = answer(value)
      if (given !== !deciding) return given
    }
    return !deciding
  }
