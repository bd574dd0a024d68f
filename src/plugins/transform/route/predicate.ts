/** One condition on an event. `path`: the value that it tests, in the notation of the caller. */
export type Literal =
  /** A JSONata path equals a literal (as JSON), or does not. */
  | { readonly kind: 'equals' | 'differs'; readonly path: string; readonly value: string }
  /** The text at a path contains `text`: at its start, at its end, as all of it. `folded`: in any case of letters. */
  | {
      readonly kind: 'text'
      readonly path: string
      readonly text: string
      readonly start: boolean
      readonly end: boolean
      readonly folded: boolean
    }
  /** A regular expression of any other form matches. */
  | { readonly kind: 'matches'; readonly path: string; readonly key: string; test(text: string): boolean }
  /** There is something at the path. */
  | { readonly kind: 'exists'; readonly path: string }
  /** Any other expression is true. `lasting`: and it is the same each time it is asked. */
  | { readonly kind: 'holds'; readonly key: string; readonly lasting: boolean }

export type Predicate =
  | Literal
  | { readonly kind: 'and'; readonly parts: readonly Predicate[] }
  | { readonly kind: 'or'; readonly parts: readonly Predicate[] }

export const ALWAYS: Predicate = { kind: 'and', parts: [] }
export const NEVER: Predicate = { kind: 'or', parts: [] }

/** One way for a predicate to hold: all of these do. */
export type Term = readonly Literal[]

const MOST_TERMS = 64

/** The disjunctive normal form: every way for a predicate to hold. Undefined if there are too many. */
export function termsOf(predicate: Predicate): readonly Term[] | undefined {
  if (predicate.kind === 'or') {
    const parts = predicate.parts.map(termsOf)
    return parts.every((part) => part !== undefined) ? within(parts.flat()) : undefined
  }
  if (predicate.kind !== 'and') return [[predicate]]
  let terms: readonly Term[] | undefined = [[]]
  for (const part of predicate.parts) {
    const more = termsOf(part)
    if (terms === undefined || more === undefined) return undefined
    terms = within(terms.flatMap((term) => more.map((other) => [...term, ...other])))
  }
  return terms
}

const within = (terms: readonly Term[]): readonly Term[] | undefined =>
  terms.length <= MOST_TERMS ? terms : undefined

/** True if no event can have all of this: one path equals two values. */
export function isContradictory(term: Term): boolean {
  return term.some(
    (literal) =>
      literal.kind === 'equals' &&
      term.some(
        (other) =>
          (other.kind === 'equals' && other.path === literal.path && other.value !== literal.value) ||
          (other.kind === 'differs' && other.path === literal.path && other.value === literal.value),
      ),
  )
}

/** True if the predicate certainly holds of every event of which the term holds. */
export function implies(term: Term, predicate: Predicate): boolean {
  switch (predicate.kind) {
    case 'and':
      return predicate.parts.every((part) => implies(term, part))
    case 'or':
      return predicate.parts.some((part) => implies(term, part))
    default:
      return term.some((literal) => literalImplies(literal, predicate))
  }
}

function literalImplies(literal: Literal, wanted: Literal): boolean {
  if (literal.kind === 'holds' || wanted.kind === 'holds')
    return (
      literal.kind === 'holds' && wanted.kind === 'holds' && literal.lasting && literal.key === wanted.key
    )
  if (literal.path !== wanted.path) return false
  switch (wanted.kind) {
    case 'exists':
      return literal.kind === 'exists' || literal.kind === 'text' || literal.kind === 'matches'
    case 'equals':
      return literal.kind === 'equals' && literal.value === wanted.value
    case 'differs':
      return (
        (literal.kind === 'differs' && literal.value === wanted.value) ||
        (literal.kind === 'equals' && literal.value !== wanted.value)
      )
    case 'matches':
      if (literal.kind === 'matches') return literal.key === wanted.key
      return (
        literal.kind === 'text' &&
        literal.start &&
        literal.end &&
        !literal.folded &&
        wanted.test(literal.text)
      )
    case 'text':
      return literal.kind === 'text' && textImplies(literal, wanted)
  }
}

/** Plain words in the text at a path. */
export type TextLiteral = Extract<Literal, { kind: 'text' }>

function textImplies(literal: TextLiteral, wanted: TextLiteral): boolean {
  if (literal.folded && !wanted.folded) return false
  const text = wanted.folded ? literal.text.toLowerCase() : literal.text
  if (wanted.start && wanted.end) return literal.start && literal.end && text === wanted.text
  if (wanted.start) return literal.start && text.startsWith(wanted.text)
  if (wanted.end) return literal.end && text.endsWith(wanted.text)
  return text.includes(wanted.text)
}
