/** What must hold of an event: the smallest parts of a condition. A place is written as it is looked at. */
export type Atom =
  /** A JSONata path equals a literal (as JSON), or does not. */
  | { readonly kind: 'equals' | 'differs'; readonly place: string; readonly value: string }
  /** The text at a place has this in it: at its start, at its end, all of it. `folded`: in whatever case. */
  | {
      readonly kind: 'text'
      readonly place: string
      readonly literal: string
      readonly start: boolean
      readonly end: boolean
      readonly folded: boolean
    }
  /** A regular expression of any other form matches. */
  | { readonly kind: 'matches'; readonly place: string; readonly key: string; test(text: string): boolean }
  /** There is something at the place. */
  | { readonly kind: 'exists'; readonly place: string }
  /** Any other expression is true. `lasting`: and it is the same each time it is asked. */
  | { readonly kind: 'holds'; readonly key: string; readonly lasting: boolean }

export type Formula =
  | Atom
  | { readonly kind: 'and'; readonly parts: readonly Formula[] }
  | { readonly kind: 'or'; readonly parts: readonly Formula[] }

export const ALWAYS: Formula = { kind: 'and', parts: [] }
export const NEVER: Formula = { kind: 'or', parts: [] }

/** One way for a formula to hold: all of these do. */
export type Term = readonly Atom[]

const MOST_TERMS = 64

/** Every way for a formula to hold; undefined where there are too many to look at. */
export function termsOf(formula: Formula): readonly Term[] | undefined {
  if (formula.kind === 'or') {
    const parts = formula.parts.map(termsOf)
    return parts.every((part) => part !== undefined) ? within(parts.flat()) : undefined
  }
  if (formula.kind !== 'and') return [[formula]]
  let terms: readonly Term[] | undefined = [[]]
  for (const part of formula.parts) {
    const more = termsOf(part)
    if (terms === undefined || more === undefined) return undefined
    terms = within(terms.flatMap((term) => more.map((other) => [...term, ...other])))
  }
  return terms
}

const within = (terms: readonly Term[]): readonly Term[] | undefined =>
  terms.length <= MOST_TERMS ? terms : undefined

/** True where nothing can have all of this: one place equals two values. */
export function isContradictory(term: Term): boolean {
  return term.some(
    (atom) =>
      atom.kind === 'equals' &&
      term.some(
        (other) =>
          (other.kind === 'equals' && other.place === atom.place && other.value !== atom.value) ||
          (other.kind === 'differs' && other.place === atom.place && other.value === atom.value),
      ),
  )
}

/** True where the formula certainly holds of whatever the term holds of. */
export function implies(term: Term, formula: Formula): boolean {
  switch (formula.kind) {
    case 'and':
      return formula.parts.every((part) => implies(term, part))
    case 'or':
      return formula.parts.some((part) => implies(term, part))
    default:
      return term.some((atom) => atomImplies(atom, formula))
  }
}

function atomImplies(atom: Atom, wanted: Atom): boolean {
  if (atom.kind === 'holds' || wanted.kind === 'holds')
    return atom.kind === 'holds' && wanted.kind === 'holds' && atom.lasting && atom.key === wanted.key
  if (atom.place !== wanted.place) return false
  switch (wanted.kind) {
    case 'exists':
      return atom.kind === 'exists' || atom.kind === 'text' || atom.kind === 'matches'
    case 'equals':
      return atom.kind === 'equals' && atom.value === wanted.value
    case 'differs':
      return (
        (atom.kind === 'differs' && atom.value === wanted.value) ||
        (atom.kind === 'equals' && atom.value !== wanted.value)
      )
    case 'matches':
      if (atom.kind === 'matches') return atom.key === wanted.key
      return atom.kind === 'text' && atom.start && atom.end && !atom.folded && wanted.test(atom.literal)
    case 'text':
      return atom.kind === 'text' && textImplies(atom, wanted)
  }
}

/** Plain words in the text at a place. */
export type Text = Extract<Atom, { kind: 'text' }>

function textImplies(atom: Text, wanted: Text): boolean {
  if (atom.folded && !wanted.folded) return false
  const literal = wanted.folded ? atom.literal.toLowerCase() : atom.literal
  if (wanted.start && wanted.end) return atom.start && atom.end && literal === wanted.literal
  if (wanted.start) return atom.start && literal.startsWith(wanted.literal)
  if (wanted.end) return atom.end && literal.endsWith(wanted.literal)
  return literal.includes(wanted.literal)
}
