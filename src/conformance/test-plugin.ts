import assert from 'node:assert/strict'
import type { TSchema } from 'typebox'
import { filesIn } from '../config/files.js'
import { checkShape } from '../config/shape.js'
import { readSettings } from '../config/stage-settings.js'
import {
  type AnyDefinition,
  type Definition,
  type Intake,
  KINDS,
  type Kind,
  type KindTypes,
} from '../contract/index.js'
import { postCommitChecks, sinkChecks, sourceChecks, transformChecks } from './stages.js'
import { type Check, createStage, type Subject } from './subject.js'

/**
 * The checks that every plugin must pass, the built-in ones included. They belong to no test runner:
 * `for (const { name, run } of testPlugin(myPlugin, { ... })) test(name, run)`.
 */
export function testPlugin<K extends Kind>(
  definition: Definition<K, TSchema> | AnyDefinition,
  options: Omit<Subject, 'definition' | 'config'> & { readonly config: object },
): readonly Check[] {
  const { config, problems: shape } = readSettings(definition, structuredClone(options.config))
  const subject = { ...options, definition, config } as unknown as Subject
  const valid: Check = {
    name: 'accepts the config of the test',
    async run() {
      const context = { files: filesIn(options.folder), exposed: false, deadLetters: true }
      const problems = shape.length > 0 ? shape : [...(definition.check?.(config as never, context) ?? [])]
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

interface Schema {
  readonly type?: unknown
  readonly description?: string
  readonly additionalProperties?: unknown
  readonly properties?: { readonly [name: string]: Schema }
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly const?: unknown
}

/** The declaration serves as validation, docs and editor schema at once. */
function declarationChecks({ definition, config }: Subject): readonly Check[] {
  return [
    {
      name: 'is declared with a kind, a name and a summary of one sentence',
      async run() {
        assert(KINDS.includes(definition.kind), `there is no kind "${definition.kind}"`)
        assert.match(definition.name, /^[a-z][a-z0-9-]*$/)
        assert.match(definition.summary, /^[A-Z].*\.$/)
      },
    },
    {
      name: 'describes every setting',
      async run() {
        const silent = [...undescribed(definition.config as Schema, '')]
        assert.deepEqual(silent, [], 'settings without a description')
      },
    },
    {
      name: 'rejects an unknown setting',
      async run() {
        const problems = checkShape(definition.config, { ...structuredClone(config), 'no-such-setting': 1 })
        assert(
          problems.some(({ code }) => code === 'HG_CONFIG_UNKNOWN_KEY'),
          'set additionalProperties to false',
        )
      },
    },
  ]
}

function* undescribed(schema: Schema, path: string): Generator<string> {
  for (const [name, setting] of Object.entries(schema.properties ?? {})) {
    const at = `${path}/${name}`
    if (setting.description === undefined && setting.const === undefined) yield at
    yield* undescribed(setting, at)
  }
  for (const shape of [schema.items, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
    if (shape !== undefined) yield* undescribed(shape, path)
  }
}

/** A stage may use resources between `start` and `stop`, and none before or after. */
function lifecycleChecks(subject: Subject): readonly Check[] {
  return [
    {
      name: 'opens nothing when it is created',
      async run() {
        const before = resources()
        createStage(subject)
        assert.deepEqual(opened(before), [])
      },
    },
    {
      name: 'can be stopped without having been started',
      run: async () => createStage(subject).instance.stop?.(),
    },
    {
      name: 'starts although its addresses do not respond, and leaves nothing open when it is stopped',
      async run() {
        const before = resources()
        const { instance, logged } = createStage(subject)
        await start(instance)
        await instance.stop?.()
        await settled(before)
        assert.deepEqual(opened(before), [], 'still open after stop')
        for (const secret of subject.secrets) {
          assert(!logged.some((line) => line.includes(secret)), 'a secret was logged')
        }
      },
    },
    {
      name: 'can be stopped twice',
      async run() {
        const { instance } = createStage(subject)
        await start(instance)
        await instance.stop?.()
        await instance.stop?.()
      },
    },
  ]
}

const nobody: Intake = () => Promise.reject(new Error('nothing is sent here'))

const start = (instance: KindTypes[keyof KindTypes]['instance']): Promise<void> | undefined =>
  instance.start?.(nobody)

/** The resources that keep the process alive, counted by kind. A timer that was unref'd does not count. */
const resources = (): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

const opened = (before: ReadonlyMap<string, number>): string[] =>
  [...resources()].flatMap(([name, count]) => (count > (before.get(name) ?? 0) ? [name] : []))

/** Handles close over a few ticks; those that remain then are not being closed. */
async function settled(before: ReadonlyMap<string, number>): Promise<void> {
  for (let tick = 0; tick < 200 && opened(before).length > 0; tick++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
