import { locator } from '../../../lib/locator.js'
import type { Slices } from '../../../lib/slices.js'
import { type Condition, finder, MANY, regexText, type Subject } from './condition.js'
import { type Key, type Requirement, requirementsOf, type Where } from './prefilter.js'
import { wordSearch } from './word-search.js'

/** One rule, or several rules that one lookup in the event finds. Rules are numbered in their order. */
export interface Step {
  /** The first rule of it. */
  readonly first: number
  /** The rules of it that may match, in order; the others neither match nor fail. Absent: there is but one. */
  readonly lookUp?: (subject: Subject) => readonly number[]
}

/**
 * The number of rules on one path from which a lookup is faster than evaluating each rule. To compare a value takes less than
 * 0.1 us; to find one word in a KB takes 0.2 us, as a regex does first, and to find all words of all rules takes 3 us.
 */
const FEWEST = { value: 4, text: 4, words: 16 }

/** Rules whose requirements are computed without a pause: some milliseconds. */
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
  for (const [rule, requirement] of choose(offers).entries()) {
    if (requirement === undefined) steps.push({ first: rule })
    else append(groups, nameOf(requirement.where), { rule, requirement })
  }
  for (const members of groups.values()) {
    const [{ rule, requirement }] = members as [Member]
    yield
    if (members.length >= FEWEST[requirement.where.kind])
      steps.push({ first: rule, lookUp: lookUpOf(requirement.where, members) })
    else steps.push(...members.map((member) => ({ first: member.rule })))
  }
  return steps.sort((a, b) => a.first - b.first)
}

interface Member {
  readonly rule: number
  readonly requirement: Requirement
}

const nameOf = ({ kind, path }: Where): string => JSON.stringify([kind, path])

/** The requirements of a rule, each with its key: rules with the same requirement have the same key. */
type Offer = readonly {
  readonly requirement: Requirement
  readonly group: string
  readonly keys: readonly string[]
}[]

const offerOf = (condition: Condition): Offer =>
  requirementsOf(condition).map((requirement) => {
    const group = nameOf(requirement.where)
    return { requirement, group, keys: requirement.keys.map((key) => `${group} ${JSON.stringify(key)}`) }
  })

/** Of the requirements of a rule, the one that the fewest other rules have, if enough rules look at its path. */
function choose(offers: readonly Offer[]): readonly (Requirement | undefined)[] {
  const rulesAt = new Map<string, number>()
  const rulesWith = new Map<string, number>()
  for (const offer of offers) {
    for (const group of new Set(offer.map((requirement) => requirement.group))) count(rulesAt, group)
    for (const key of new Set(offer.flatMap(({ keys }) => keys))) count(rulesWith, key)
  }
  return offers.map((offer) => {
    let best: { requirement: Requirement; rules: number } | undefined
    for (const { requirement, group, keys } of offer) {
      if ((rulesAt.get(group) ?? 0) < FEWEST[requirement.where.kind]) continue
      const rules = keys.reduce((most, key) => Math.max(most, rulesWith.get(key) ?? 0), 0)
      if (best === undefined || rules < best.rules) best = { requirement, rules }
    }
    return best?.requirement
  })
}

const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

const NONE: readonly number[] = []

function lookUpOf({ kind, path }: Where, members: readonly Member[]): Required<Step>['lookUp'] {
  const rulesBy = new Map<Key, number[]>()
  for (const { rule, requirement } of members)
    for (const key of new Set(requirement.keys)) append(rulesBy, key, rule)
  if (kind === 'value') return lookUpValue(path, members, rulesBy)
  const at = path === undefined ? undefined : locator(path)
  if (kind === 'text') return (subject) => rulesBy.get(regexText(at, subject) as Key) ?? NONE
  const search = wordSearch(rulesBy as Map<string, number[]>)
  return (subject) => {
    const text = regexText(at, subject)
    return text === undefined ? NONE : search(text)
  }
}

function lookUpValue(
  path: string,
  members: readonly Member[],
  rulesBy: ReadonlyMap<Key, readonly number[]>,
): Required<Step>['lookUp'] {
  const find = finder(locator(path))
  const before = [...new Set(members.flatMap(({ requirement }) => requirement.before))].map((at) =>
    finder(locator(at)),
  )
  const all = members.map(({ rule }) => rule)
  return (subject) => {
    const found = find(subject)
    const isOpen = found === MANY || before.some((findBefore) => findBefore(subject) === MANY)
    return isOpen ? all : (rulesBy.get(found as Key) ?? NONE)
  }
}
