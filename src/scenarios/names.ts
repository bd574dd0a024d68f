import { didYouMean } from '../config/problem.js'
import type { CheckedConfig } from '../config/read.js'
import type { ShapeProblem } from '../config/shape.js'
import { ERRORS } from '../contract/errors.js'
import type { DryRun } from '../dry-run/dry-run.js'
import { child } from '../lib/json/pointer.js'
import { EVENT_CODES, type Expect, type ScenarioFile, type ScenarioSettings } from './format.js'

/** What a config has that scenarios can name. */
export interface ConfigNames {
  readonly file: string
  readonly pipelines: readonly PipelineNames[]
}

interface PipelineNames {
  readonly name: string
  /** The names of the rules, and `otherwise`. */
  readonly rules: readonly string[]
  readonly topics: readonly string[]
  readonly stages: readonly string[]
}

/** Names in scenarios that the config does not have: an expectation that can never be met is a slip of the pen. */
export function* nameProblems(
  file: ScenarioFile,
  scenarios: readonly (readonly [number, ScenarioSettings])[],
  known: ConfigNames,
): Iterable<ShapeProblem> {
  const pipelines = known.pipelines.map(({ name }) => name)
  const unknown = (what: string, pointer: string, name: string, names: readonly string[]) =>
    notAmong(`${known.file} has no ${what} "${name}".`, pointer, name, names)
  if (typeof file?.pipeline === 'string' && !pipelines.includes(file.pipeline))
    yield unknown('pipeline', '/pipeline', file.pipeline, pipelines)
  for (const [index, { pipeline: own, expect }] of scenarios) {
    const at = child('/scenarios', index)
    const name = own ?? file.pipeline ?? (pipelines.length === 1 ? pipelines[0] : undefined)
    if (name === undefined) yield { pointer: at, ...whichPipeline(pipelines) }
    if (own !== undefined && !pipelines.includes(own))
      yield unknown('pipeline', `${at}/pipeline`, own, pipelines)
    yield* codeProblems(`${at}/expect/code`, expect)
    const pipeline = known.pipelines.find((known) => known.name === name)
    if (pipeline === undefined) continue
    const { rules, topics, stages } = pipeline
    for (const [what, where, given, names] of [
      ['rule', '/route', expect.route, rules],
      ['topic', '/topic', expect.topic, topics],
      ['topic', '/deadLetter/topic', deadLetter(expect)?.topic, topics],
      ['stage', '/deadLetter/stage', deadLetter(expect)?.stage, stages],
    ] as const) {
      if (given !== undefined && !names.includes(given))
        yield unknown(what, `${at}/expect${where}`, given, names)
    }
  }
}

function* codeProblems(pointer: string, { code }: Expect): Iterable<ShapeProblem> {
  if (code === undefined || (EVENT_CODES as string[]).includes(code)) return
  const message = code in ERRORS ? `No event is ever refused with "${code}".` : `There is no code "${code}".`
  yield notAmong(message, pointer, code, EVENT_CODES)
}

const deadLetter = ({ deadLetter }: Expect) => (typeof deadLetter === 'object' ? deadLetter : undefined)

const whichPipeline = (pipelines: readonly string[]) => ({
  code: 'HG_CONFIG_MISSING_KEY' as const,
  message: 'The config has several pipelines, and the scenario does not say which one gets the event.',
  expected: `"pipeline": ${pipelines.map((name) => JSON.stringify(name)).join(' or ')}`,
})

/** Where no name is near, all of them are shown, unless they are too many to read. */
const MOST_NAMES = 12

function notAmong(message: string, pointer: string, name: string, names: readonly string[]): ShapeProblem {
  const listed = names.length > 0 && names.length <= MOST_NAMES
  return {
    pointer,
    code: 'HG_CONFIG_VALUE',
    message,
    ...(listed && { expected: names.map((known) => JSON.stringify(known)).join(', ') }),
    ...didYouMean(name, names),
  }
}

/** The names that scenarios can use with a config. */
export const configNames = ({ file, pipelines }: CheckedConfig, dryRun: DryRun): ConfigNames => ({
  file,
  pipelines: pipelines.map(({ name, transforms, sink }) => ({
    name,
    rules: dryRun.rules(name),
    topics: dryRun.topics(name),
    stages: [
      ...transforms.map(({ definition }, index) => `transform.${index}.${definition.name}`),
      `sink.${sink.definition.name}`,
    ],
  })),
})
