import { HeadgateError } from '../../../contract/errors.js'
import type { CheckContext, ConfigProblem } from '../../../contract/index.js'
import { sharedRegex } from './condition.js'
import { expressionProblems } from './jsonata.js'
import type { Destination, RouteSettings, When } from './settings.js'

/** What the schema of the settings cannot say, all of it at once. */
export function problems(
  { rules, otherwise }: RouteSettings,
  { deadLetters }: CheckContext,
): ConfigProblem[] {
  const names = new Map([['otherwise', 'the events that no rule matches']])
  const found = rules.flatMap(({ name, when, to }, index) => {
    const at = `/rules/${index}`
    const inName = nameProblems(`${at}/name`, name, names)
    return [
      ...inName,
      ...whenProblems(`${at}/when`, when),
      ...destinationProblems(`${at}/to`, to, deadLetters),
    ]
  })
  return [...found, ...destinationProblems('/otherwise', otherwise, deadLetters)]
}

function nameProblems(at: string, name: string, names: Map<string, string>): ConfigProblem[] {
  const taken = names.get(name)
  if (taken === undefined) {
    names.set(name, `the rule at ${at.replace(/\/name$/, '')}`)
    return []
  }
  return [{ at, code: 'HG_CONFIG_CONFLICT', message: `The name "${name}" already stands for ${taken}.` }]
}

function whenProblems(at: string, { regex, at: place, flags, jsonata }: When): ConfigProblem[] {
  const missing = (message: string): ConfigProblem => ({ at, code: 'HG_CONFIG_MISSING_KEY', message })
  if (regex !== undefined) {
    return [
      ...thrownBy(`${at}/regex`, () => sharedRegex(regex, flags)),
      ...(jsonata === undefined ? [] : inExpression(`${at}/jsonata`, jsonata)),
    ]
  }
  return [
    ...(place === undefined ? [] : [missing('"at" says where "regex" looks, and there is no "regex" here.')]),
    ...(flags === undefined ? [] : [missing('"flags" belong to a "regex", and there is no "regex" here.')]),
    ...(jsonata === undefined
      ? [missing('A rule needs "regex", "jsonata" or both, and this one has neither.')]
      : inExpression(`${at}/jsonata`, jsonata)),
  ]
}

const inExpression = (at: string, text: string): ConfigProblem[] =>
  expressionProblems(text).map(({ from, to, ...problem }) => ({
    at,
    within: { from, to },
    code: 'HG_CONFIG_JSONATA',
    ...problem,
  }))

function thrownBy(at: string, compile: () => unknown): ConfigProblem[] {
  try {
    compile()
    return []
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error
    return [{ at, code: error.code, message: error.message }]
  }
}

function destinationProblems(at: string, to: Destination, deadLetters: boolean): ConfigProblem[] {
  if (to !== 'dead-letter' || deadLetters) return []
  return [
    {
      at,
      code: 'HG_CONFIG_CONFLICT',
      message: 'The pipeline has no topic for dead letters.',
      suggestion: 'Add "deadLetter": {"topic": "..."} to the pipeline.',
    },
  ]
}
