import { asHeadgateError } from '../contract/errors.js'
import type { AnyDefinition, Files } from '../contract/index.js'
import type { CheckProblem, CheckResult } from './check-process.js'
import { readSettings } from './stage-settings.js'

/** Checks the settings of one plugin. References are not resolved. */
export function checkStage(definition: AnyDefinition, settings: unknown, files: Files): CheckResult {
  const { config: checked, problems, writtenAt } = readSettings(definition, structuredClone(settings))
  const found: CheckProblem[] = [...problems]
  if (found.length === 0) {
    try {
      const context = { files, exposed: false, deadLetters: true }
      for (const { at, ...problem } of definition.check?.(checked, context) ?? [])
        found.push({ ...problem, pointer: writtenAt(at) })
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, definition.name)
      found.push({ pointer: '', code, message })
    }
  }
  return found.length === 0 ? { ok: true } : { ok: false, problems: found }
}
