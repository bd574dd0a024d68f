import type { ConfigProblem } from '../../../plugin.js'
import { compileRegex } from '../../../regex.js'
import type { Condition } from './condition.js'
import type { When } from './settings.js'

export interface CompiledRule {
  readonly name: string
  readonly when: When
  readonly condition: Condition
}

/** What a rule asks of an event, and what is known of the events that it matches. */
interface Facts {
  readonly name: string
  readonly asks: readonly string[]
  readonly knows: ReadonlySet<string>
}

/**
 * Rules behind one that matches whatever they match. Only what is certain is reported: that two regular expressions in
 * different words say the same cannot be told. A rule that could not be compiled is undefined.
 */
export function unreachableRules(rules: readonly (CompiledRule | undefined)[]): ConfigProblem[] {
  const facts = rules.map((rule) => (rule === undefined ? undefined : factsOf(rule)))
  return facts.flatMap((rule, index): ConfigProblem[] => {
    if (rule === undefined) return []
    const earlier = facts.slice(0, index).find((other) => other?.asks.every((fact) => rule.knows.has(fact)))
    if (earlier === undefined) return []
    const reason = earlier.asks.length === 0 ? 'always matches' : 'matches whatever this one matches'
    return [
      {
        at: `/rules/${index}`,
        code: 'HG_CONFIG_UNREACHABLE_RULE',
        message: `The rule "${rule.name}" can never match: the rule "${earlier.name}" above it ${reason}.`,
      },
    ]
  })
}

function factsOf({ name, when, condition }: CompiledRule): Facts {
  const { regex, at, flags = '', jsonata } = when
  const asks: string[] = []
  const knows = new Set<string>()
  if (regex !== undefined) {
    const isThere = JSON.stringify(['is there', at])
    const matches = JSON.stringify(['matches', at, regex, [...flags].sort()])
    knows.add(isThere).add(matches)
    // The payload always has a text, if only an empty one.
    if (!matchesAnyText(regex, flags, at === undefined)) asks.push(matches)
    else if (at !== undefined) asks.push(isThere)
  }
  if (jsonata !== undefined) {
    const holds = JSON.stringify(['holds', jsonata.trim()])
    // What held a moment ago need not hold now.
    if (!/\$(?:random|shuffle|millis)/.test(jsonata)) knows.add(holds)
    if (condition.expression?.always !== true) asks.push(holds)
  }
  return { name, asks, knows }
}

/**
 * True where a search certainly succeeds in any text: what matches the empty text and looks at nothing around it matches
 * at the start of every text. ^ holds there, as $ does at the end, if only one of them stands. `oneLine`: compact JSON
 * has no line ends.
 */
function matchesAnyText(regex: string, flags: string, oneLine: boolean): boolean {
  if (regex === '^.*$') return oneLine || flags.includes('s')
  const unanchored = regex.startsWith('^') ? regex.slice(1) : regex.replace(/\$$/, '')
  if (/[\^$]|\\[bBAzZ]/.test(unanchored)) return false
  try {
    return compileRegex(unanchored, flags).test('')
  } catch {
    return false
  }
}
