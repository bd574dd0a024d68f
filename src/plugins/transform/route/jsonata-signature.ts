/** Parameters as JSONata writes them: `<s-(sf)n?:b>`. */
export interface Signature {
  readonly parameters: readonly Parameter[]
  /** The letter of what it gives; undefined where that can be anything. */
  readonly result: string | undefined
}

interface Parameter {
  /** Letters: s text, n number, b boolean, l null, a list, o object, f function; x and j stand for several. */
  readonly types: string
  readonly isOptional: boolean
  readonly isRepeated: boolean
}

const NAMES: { readonly [letter: string]: string } = {
  s: 'text',
  n: 'a number',
  b: 'true or false',
  l: 'null',
  a: 'a list',
  o: 'an object',
  f: 'a function or a regex',
}

export function parseSignature(text: string): Signature {
  const [, inner = '', result] = /^<(.*?)(?::(\w)(?:<.*>)?)?>$/.exec(text) ?? []
  const found = inner.matchAll(/(\(\w+\)|\w)(?:<[^<>]*(?:<[^<>]*>)?[^<>]*>)?([-?+]*)/g)
  const parameters = [...found].map(([, types = '', marks = '']) => ({
    types: types
      .replace(/[()]/g, '')
      .replace('x', 'asnblfo')
      .replace('j', 'asnblo')
      .replace(/^a$/, 'asnblfo'),
    isOptional: /[-?]/.test(marks),
    isRepeated: marks.includes('+'),
  }))
  return { parameters, result: result === 'x' || result === 'j' ? undefined : result }
}

/** A letter for each argument whose kind is known before there is an event, and "?" for any other. */
export type Kinds = readonly string[]

/**
 * What is wrong with arguments, and which of them is at fault (their number where there are too few); undefined where
 * they can fit.
 */
export function unfit(
  { parameters }: Signature,
  kinds: Kinds,
): { readonly index: number; readonly reason: string } | undefined {
  const least = parameters.filter(({ isOptional }) => !isOptional).length
  const most = parameters.some(({ isRepeated }) => isRepeated) ? Number.POSITIVE_INFINITY : parameters.length
  if (kinds.length < least || kinds.length > most)
    return {
      index: Math.min(kinds.length, most),
      reason: `It takes ${counted(least, most)}, and has ${kinds.length || 'none'}.`,
    }
  if (fits(parameters, kinds)) return undefined
  const index = kinds.findIndex((_, at) => !fits(parameters, kinds.slice(0, at + 1).concat(rest(kinds, at))))
  const expected = parameters[index]?.types ?? ''
  const kind = kinds[index] ?? ''
  if (expected.includes(kind)) return { index, reason: 'These arguments are too few.' }
  const wanted = [...expected].map((letter) => NAMES[letter]).join(', or ')
  return { index, reason: `Its argument ${index + 1} is ${NAMES[kind]}, and should be ${wanted}.` }
}

const rest = (kinds: Kinds, at: number): string[] => kinds.slice(at + 1).map(() => '?')

function fits(parameters: readonly Parameter[], kinds: Kinds): boolean {
  const [parameter, ...others] = parameters
  if (parameter === undefined) return kinds.length === 0
  if (parameter.isOptional && fits(others, kinds)) return true
  const [kind, ...more] = kinds
  if (kind === undefined || (kind !== '?' && !parameter.types.includes(kind))) return false
  return fits(others, more) || (parameter.isRepeated && fits(parameters, more))
}

function counted(least: number, most: number): string {
  const of = (count: number) => (count === 1 ? '1 argument' : `${count} arguments`)
  if (least === most) return of(least)
  return most === Number.POSITIVE_INFINITY ? `at least ${of(least)}` : `${least} to ${of(most)}`
}
