import type { TSchema } from 'typebox'
import type { CheckedPipeline, CheckedStage } from '../config/checked-pipeline.js'
import type { Problem } from '../config/problem.js'
import type { CheckedConfig, ReadResult } from '../config/read.js'
import { asHeadgateError } from '../contract/errors.js'
import type { Definition, Kind } from '../contract/index.js'
import { redactor } from '../process/redact.js'

/**
 * Adds the problems that plugins find only by building their objects from the settings. `validate` and `run` call this after
 * they have read a config. Opens no connection and keeps no object.
 */
export async function runTrials(read: ReadResult): Promise<ReadResult> {
  if (!read.ok) return read
  const problems = await trialProblems(read.config)
  return problems.length === 0 ? read : { ok: false, problems, lines: read.config.lines }
}

async function trialProblems(config: CheckedConfig): Promise<Problem[]> {
  const redact = redactor(config.secrets)
  const problems: Problem[] = []
  for (const { definition, config: settings, pointer } of config.pipelines.flatMap(stagesOf)) {
    const report = (at: string, { code, message, ...more }: Omit<Problem, 'pointer' | 'location'>) =>
      problems.push({ ...more, code, message: redact(message), pointer: at, location: config.locationOf(at) })
    try {
      for await (const { at, ...problem } of definition.trial?.(structuredClone(settings)) ?? [])
        report(`${pointer}/config${at}`, problem)
    } catch (thrown) {
      report(`${pointer}/plugin`, asHeadgateError(thrown, definition.name))
    }
  }
  return problems
}

const stagesOf = ({ source, transforms, sink, postCommit }: CheckedPipeline) =>
  [source, ...transforms, sink, ...postCommit] as unknown as readonly (CheckedStage<Kind> & {
    readonly definition: Definition<Kind, TSchema>
  })[]
