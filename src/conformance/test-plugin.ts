import type { TSchema } from 'typebox'
import { filesIn } from '../config/files.js'
import { checkShape } from '../config/shape.js'
import type { AnyDefinition, Definition, Event, Kind } from '../contract/index.js'
import { declarationChecks } from './declaration-checks.js'
import { lifecycleChecks } from './lifecycle-checks.js'
import { postCommitChecks } from './post-commit-checks.js'
import { sinkChecks } from './sink-checks.js'
import { sourceChecks } from './source-checks.js'
import { transformChecks } from './stages.js'

/** What a plugin is tried with. */
export interface Subject<K extends Kind = Kind> {
  readonly definition: Definition<K, TSchema>
  /** A config that is valid, and whose addresses nobody answers: the plugin has to cope. */
  readonly config: object
  /** Folder that paths in the config are relative to. */
  readonly folder: string
  /** Values that must never be seen in a log, an error or an answer. */
  readonly secrets: readonly string[]
  /** Events that a transform or a sink of this config takes. */
  readonly events: readonly Event[]
}

/** One thing that every plugin of a kind must do. `run` rejects where it does not. */
export interface Check {
  readonly name: string
  run(): Promise<void>
}

/**
 * The checks that every plugin must pass, the built-in ones included. They belong to no test runner:
 * `for (const { name, run } of testPlugin(myPlugin, { ... })) test(name, run)`.
 */
export function testPlugin<K extends Kind>(
  definition: Definition<K, TSchema> | AnyDefinition,
  given: Omit<Subject, 'definition' | 'config'> & { readonly config: object },
): readonly Check[] {
  const config = structuredClone(given.config)
  const shape = checkShape(definition.config, config)
  const subject = { ...given, definition, config } as unknown as Subject
  const valid: Check = {
    name: 'accepts the config that it is tried with',
    async run() {
      const options = { files: filesIn(given.folder), exposed: false, deadLetters: true }
      const problems = shape.length > 0 ? shape : [...(definition.check?.(config as never, options) ?? [])]
      if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join(' '))
    },
  }
  const kindChecks = OF_KIND[definition.kind] as (subject: Subject) => readonly Check[]
  return [valid, ...declarationChecks(subject), ...lifecycleChecks(subject), ...kindChecks(subject)]
}

const OF_KIND: { readonly [K in Kind]: (subject: Subject<K>) => readonly Check[] } = {
  source: sourceChecks,
  transform: transformChecks,
  sink: sinkChecks,
  'post-commit': postCommitChecks,
}
