import { HeadgateError } from '../../../contract/errors.js'
import { Budget } from '../../../lib/budget.js'
import { nextTurn } from '../../../lib/slices.js'

/** Characters of the longest text, and of the largest value as JSON, that an expression may make. */
export const LARGEST = 2_097_152

/** Of the running evaluation: JSONata does not pass its identity to regular expressions and limits. */
let current = new Budget()

export const currentBudget = (): Budget => current

/** Evaluations that wait for the running one. */
let queue: Promise<unknown> | undefined

/**
 * Evaluates when no other evaluation is running, with a budget of its own. An evaluation does no I/O, so that the others
 * lose no time by waiting.
 */
export function evaluateAlone<Value>(evaluate: () => Promise<Value>, budget: Budget): Promise<Value> {
  const start = () => {
    budget.renew()
    current = budget
    return evaluate()
  }
  const evaluation = queue === undefined ? start() : queue.then(start, start)
  // The elements of a list are evaluated at once; when one has failed, the others go on until the end of the tick.
  const ended = evaluation.catch(nextTurn)
  queue = ended
  void ended.then(() => {
    if (queue === ended) queue = undefined
  })
  return evaluation
}

/** Steps for one part of a value: to look at it, and to write it as JSON with JSONata's own replacer. */
export const LOOK = 1
export const WRITE = 10

/**
 * Spends the steps that a look at all of a value takes, and refuses a value that is too large. A value that an expression
 * made can contain the same part many times, so that a walk through all of it never ends.
 */
export function weigh(value: unknown, steps = LOOK): void {
  let weight = 0
  const add = (part: unknown, depth: number): void => {
    if (typeof part === 'string') weight += part.length + 3
    else if (typeof part !== 'object' || part === null || isFunction(part)) weight += 2
    else {
      weight += 2
      if (Array.isArray(part)) {
        current.spend(steps * (part.length + 2))
        for (const element of part) add(element, depth + 1)
      } else {
        const keys = Object.keys(part)
        current.spend(steps * (2 * keys.length + 2))
        for (const key of keys) {
          weight += key.length + 3
          add((part as { readonly [key: string]: unknown })[key], depth + 1)
        }
      }
    }
    if (weight > LARGEST || depth > DEEPEST) throw tooLarge()
  }
  add(value, 0)
}

/** A transform can put a value into itself. */
const DEEPEST = 2000

const isFunction = (value: { _jsonata_function?: unknown; _jsonata_lambda?: unknown }): boolean =>
  value._jsonata_function === true || value._jsonata_lambda === true

export const tooLarge = (): HeadgateError =>
  new HeadgateError(
    'HG_EVENT_TOO_COSTLY',
    `An expression would make a value of more than ${LARGEST} characters of this event.`,
  )
