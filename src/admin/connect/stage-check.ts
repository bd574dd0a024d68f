import { checkShape } from '../../config/shape.js'
import { asHeadgateError } from '../../contract/errors.js'
import type { AnyDefinition, Files } from '../../contract/index.js'
import type { QuestionProblem, Verdict } from './questions.js'

/** Whether a plugin would take these settings. Nothing is looked up for references: they stand there as they are. */
export function checkStage(definition: AnyDefinition, settings: unknown, files: Files): Verdict {
  const checked = structuredClone(settings)
  const found: QuestionProblem[] = [...checkShape(definition.config, checked)]
  if (found.length === 0) {
    try {
      const context = { files, exposed: false, deadLetters: true }
      for (const { at, ...problem } of definition.check?.(checked, context) ?? [])
        found.push({ ...problem, pointer: at })
    } catch (thrown) {
      const { code, message } = asHeadgateError(thrown, definition.name)
      found.push({ pointer: '', code, message })
    }
  }
  return found.length === 0 ? { ok: true } : { ok: false, problems: found }
}
