import { didYouMean } from '../config/problem.js'
import { ERRORS } from '../contract/errors.js'
import { readTime, TIME_FORMS } from '../lib/typed-time.js'
import type { DeadLetter, LetterRef } from './letter.js'

/** Selects dead letters. Times are milliseconds since the epoch. */
export interface LetterFilter {
  readonly code?: string
  /** A stage, or the name of a plugin. */
  readonly stage?: string
  readonly rule?: string
  readonly id?: string
  /** In the id, the code or the message, in upper or lower case. */
  readonly text?: string
  readonly since?: number
  readonly until?: number
  /** Only failed acknowledgements, or only others. */
  readonly isFailedAck?: boolean
  /** Only these; all if undefined. */
  readonly refs?: readonly LetterRef[]
}

export function matcherOf(filter: LetterFilter): (letter: DeadLetter) => boolean {
  const { code, stage, rule, id, since, until, isFailedAck, refs } = filter
  const text = filter.text?.toLowerCase()
  const isNamed = refs && namedBy(refs)
  return (letter) =>
    (code === undefined || code === letter.code) &&
    (stage === undefined || stage === letter.stage || stage === letter.plugin) &&
    (rule === undefined || rule === letter.rule) &&
    (id === undefined || id === letter.id) &&
    (since === undefined || letter.timestamp >= since) &&
    (until === undefined || letter.timestamp <= until) &&
    (isFailedAck === undefined || isFailedAck === (letter.failedAck !== undefined)) &&
    (isNamed === undefined || isNamed(letter)) &&
    (text === undefined || `${letter.id} ${letter.code} ${letter.message}`.toLowerCase().includes(text))
}

/** By position, because an operator can choose thousands of a hundred thousand. */
function namedBy(refs: readonly LetterRef[]): (letter: DeadLetter) => boolean {
  const topics = new Map<string, (string | undefined)[]>()
  for (const { topic, partition, offset } of refs) {
    const key = `${partition}:${offset}`
    topics.set(key, [...(topics.get(key) ?? []), topic])
  }
  return ({ topic, partition, offset }) =>
    topics.get(`${partition}:${offset}`)?.some((named) => named === undefined || named === topic) === true
}

const TEXTS = ['code', 'stage', 'rule', 'id', 'text'] as const
const TIMES = ['since', 'until'] as const

/** The filters that can be typed, in commands and in requests. */
export const FILTERS = [...TEXTS, ...TIMES] as const

export type TypedFilter = { readonly [name in (typeof FILTERS)[number]]?: string | undefined }

interface ReadFilter {
  readonly filter: LetterFilter
  readonly problems: readonly string[]
}

/** `nameOf`: the name of a filter as the operator knows it. */
export function readFilter(typed: TypedFilter, now: number, nameOf: (name: string) => string): ReadFilter {
  const problems: string[] = []
  const filter: { -readonly [name in keyof LetterFilter]: LetterFilter[name] } = {}
  for (const name of TEXTS) {
    const value = typed[name]
    if (value !== undefined) filter[name] = value
    if (value === '') problems.push(`${nameOf(name)} should not be empty.`)
  }
  for (const name of TIMES) {
    const value = typed[name]
    if (value === undefined) continue
    const at = readTime(value, now)
    if (at === undefined)
      problems.push(`${nameOf(name)} should be a time such as ${TIME_FORMS}; it is ${JSON.stringify(value)}.`)
    else filter[name] = at
  }
  const { code, since, until } = filter
  if (code && !Object.hasOwn(ERRORS, code)) {
    const hint =
      didYouMean(code, Object.keys(ERRORS))?.suggestion ?? '"headgate help errors" lists the codes.'
    problems.push(`There is no code ${JSON.stringify(code)}. ${hint}`)
  }
  if (since !== undefined && until !== undefined && since > until)
    problems.push(`${nameOf('since')} is later than ${nameOf('until')}, so no dead letter can match.`)
  return { filter, problems }
}
