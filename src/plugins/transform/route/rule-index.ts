import { pointer } from '../../../lib/json/pointer.js'
import type { Slices } from '../../../lib/slices.js'
import { type Condition, regexText, type Subject } from './condition.js'
import { type Key, type Need, needsOf, type Where } from './needs.js'
import { MANY, placeValue } from './place-value.js'
import { wordSearch } from './word-search.js'

/** One rule, or rules that are found by one look at the event. Rules are numbered as they stand. */
export interface Step {
  /** The first rule of it. */
  readonly first: number
  /** The rules of it that may match, in order; the others neither match nor fail. Absent: there is but one. */
  readonly lookUp?: (subject: Subject) => readonly number[]
}

/**
 * So many rules have to look at one place before looking them up is faster. To compare a value takes less than 0.1 us; to
 * find one word in a KB takes 0.2 us, which is what a regex does first, and to find all words of all rules takes 3 us.
 */
const FEWEST = { value: 4, text: 4, words: 16 }

/** Rules whose needs are found in one go: some milliseconds. */
const SLICE = 256

/** The steps in which rules are looked at, in the order of their first rules. */
export function* indexRules(conditions: readonly Condition[]): Slices<readonly Step[]> {
  const steps: Step[] = []
  const groups = new Map<string, Member[]>()
  const offers: Offer[] = []
  for (const condition of conditions) {
    offers.push(offerOf(condition))
    if (offers.length % SLICE === 0) yield
  }
  for (const [rule, need] of choose(offers).entries()) {
    if (need === undefined) steps.push({ first: rule })
    else append(groups, nameOf(need.where), { rule, need })
  }
  for (const members of groups.values()) {
    const [{ rule, need }] = members as [Member]
    yield
    if (members.length >= FEWEST[need.where.kind])
      steps.push({ first: rule, lookUp: lookUpOf(need.where, members) })
    else steps.push(...members.map((member) => ({ first: member.rule })))
  }
  return steps.sort((a, b) => a.first - b.first)
}

interface Member {
  readonly rule: number
  readonly need: Need
}

const nameOf = ({ kind, place }: Where): string => JSON.stringify([kind, place])

/** All that one rule needs, by names that other rules have for the same. */
type Offer = readonly { readonly need: Need; readonly group: string; readonly keys: readonly string[] }[]

const offerOf = (condition: Condition): Offer =>
  needsOf(condition).map((need) => {
    const group = nameOf(need.where)
    return { need, group, keys: need.keys.map((key) => `${group} ${JSON.stringify(key)}`) }
  })

/** Of all that a rule needs, what the fewest other rules need, if enough of them look there. */
function choose(offers: readonly Offer[]): readonly (Need | undefined)[] {
  const rulesAt = new Map<string, number>()
  const rulesWith = new Map<string, number>()
  for (const offer of offers) {
    for (const group of new Set(offer.map((need) => need.group))) count(rulesAt, group)
    for (const key of new Set(offer.flatMap(({ keys }) => keys))) count(rulesWith, key)
  }
  return offers.map((offer) => {
    let best: { need: Need; rules: number } | undefined
    for (const { need, group, keys } of offer) {
      if ((rulesAt.get(group) ?? 0) < FEWEST[need.where.kind]) continue
      const rules = keys.reduce((most, key) => Math.max(most, rulesWith.get(key) ?? 0), 0)
      if (best === undefined || rules < best.rules) best = { need, rules }
    }
    return best?.need
  })
}

const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

const NONE: readonly number[] = []

function lookUpOf({ kind, place }: Where, members: readonly Member[]): Required<Step>['lookUp'] {
  const rulesBy = new Map<Key, number[]>()
  for (const { rule, need } of members) for (const key of new Set(need.keys)) append(rulesBy, key, rule)
  if (kind === 'value') return lookUpValue(place, members, rulesBy)
  const at = place === undefined ? undefined : pointer(place)
  if (kind === 'text') return (subject) => rulesBy.get(regexText(at, subject) as Key) ?? NONE
  const search = wordSearch(rulesBy as Map<string, number[]>)
  return (subject) => {
    const text = regexText(at, subject)
    return text === undefined ? NONE : search(text)
  }
}

function lookUpValue(
  place: string,
  members: readonly Member[],
  rulesBy: ReadonlyMap<Key, readonly number[]>,
): Required<Step>['lookUp'] {
  const { tokens } = pointer(place)
  const before = [...new Set(members.flatMap(({ need }) => need.before))].map((at) => pointer(at).tokens)
  const all = members.map(({ rule }) => rule)
  return ({ body: { value } }) => {
    const found = placeValue(value, tokens)
    const isOpen = found === MANY || before.some((names) => placeValue(value, names) === MANY)
    return isOpen ? all : (rulesBy.get(found as Key) ?? NONE)
  }
}
