import { didYouMean } from '../config/problem.js'
import type { CheckedConfig } from '../config/read.js'
import type { ShapeProblem } from '../config/shape.js'
import { ERRORS } from '../contract/errors.js'
import type { DryRun } from '../dry-run/dry-run.js'
import { child } from '../lib/json/pointer.js'
import { EVENT_CODES, type Expect, type ScenarioFile, type ScenarioSettings } from './format.js'

/** The names in a config that scenarios can use. */
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

/** Names in scenarios that the config does not have: an expectation that can never be met is a typo. */
export function* nameProblems(
  file: ScenarioFile,
  scenarios: readonly (readonly [number, ScenarioSettings])[],
  config: ConfigNames,
): Iterable<ShapeProblem> {
  const pipelines = config.pipelines.map(({ name }) => name)
  const unknown = (kind: string, pointer: string, name: string, names: readonly string[]) =>
    notAmong(`${config.file} has no ${kind} "${name}".`, pointer, name, names)
  if (typeof file?.pipeline === 'string' && !pipelines.includes(file.pipeline))
    yield unknown('pipeline', '/pipeline', file.pipeline, pipelines)
  for (const [index, { pipeline: own, expect }] of scenarios) {
    const scenario = child('/scenarios', index)
    const name = own ?? file.pipeline ?? (pipelines.length === 1 ? pipelines[0] : undefined)
    if (name === undefined) yield { pointer: scenario, ...whichPipeline(pipelines) }
    if (own !== undefined && !pipelines.includes(own))
      yield unknown('pipeline', `${scenario}/pipeline`, own, pipelines)
    yield* codeProblems(`${scenario}/expect/code`, expect)
    const pipeline = config.pipelines.find((pipeline) => pipeline.name === name)
    if (pipeline === undefined) continue
    const { rules, topics, stages } = pipeline
    for (const [kind, at, value, names] of [
      ['rule', '/route', expect.route, rules],
      ['topic', '/topic', expect.topic, topics],
      ['topic', '/deadLetter/topic', deadLetter(expect)?.topic, topics],
      ['stage', '/deadLetter/stage', deadLetter(expect)?.stage, stages],
    ] as const) {
      if (value !== undefined && !names.includes(value))
        yield unknown(kind, `${scenario}/expect${at}`, value, names)
    }
  }
}

function* codeProblems(pointer: string, { code }: Expect): Iterable<ShapeProblem> {
  if (code === undefined || (EVENT_CODES as string[]).includes(code)) return
  const message = code in ERRORS ? `No event is refused with "${code}".` : `There is no code "${code}".`
  yield notAmong(message, pointer, code, EVENT_CODES)
}

const deadLetter = ({ deadLetter }: Expect) => (typeof deadLetter === 'object' ? deadLetter : undefined)

const whichPipeline = (pipelines: readonly string[]) => ({
  code: 'HG_CONFIG_MISSING_KEY' as const,
  message: 'The config has several pipelines, and the scenario does not name the one that gets the event.',
  expected: `"pipeline": ${pipelines.map((name) => JSON.stringify(name)).join(' or ')}`,
})

/** If no name is similar, all of them are listed, unless there are too many to read. */
const MOST_NAMES = 12

function notAmong(message: string, pointer: string, name: string, names: readonly string[]): ShapeProblem {
  const isListed = names.length > 0 && names.length <= MOST_NAMES
  return {
    pointer,
    code: 'HG_CONFIG_VALUE',
    message,
    ...(isListed && { expected: names.map((listed) => JSON.stringify(listed)).join(', ') }),
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
