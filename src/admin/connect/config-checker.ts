import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { isExternal, isPath } from '../../config/choose-plugin.js'
import type { RunningPlugins } from '../../config/load-plugins.js'
import type { CheckedConfig, ReadResult } from '../../config/read.js'
import { checkShape } from '../../config/shape.js'
import { asHeadgateError, HeadgateError } from '../../contract/errors.js'
import type { AnyDefinition, Files, Kind } from '../../contract/index.js'
import { builtFile } from '../../process/package.js'
import type { Settings } from '../../process/settings.js'

/** One thing that is wrong with a config that somebody asks about. */
interface QuestionProblem {
  /** Into the config file, or into the settings of the stage. */
  readonly pointer: string
  readonly code: string
  readonly message: string
  readonly expected?: string
  readonly suggestion?: string
}

export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly problems: readonly QuestionProblem[] }

/** Whether configs would be taken. Both reject with HG_ADMIN_QUESTION where that could not be found out in time. */
export interface ConfigQuestions {
  /** `text`: all that the config file would say. `mayLoad`: plugins that do not run are loaded too, to be checked. */
  file(text: string, mayLoad: boolean): Promise<Verdict>
  /** The settings of one stage. */
  stage(definition: AnyDefinition, settings: unknown): Promise<Verdict>
}

/** A question, as the process that answers reads it: JSON on its standard input. */
export interface Question {
  readonly settings: Settings
  readonly asked:
    | { readonly kind: 'file'; readonly text: string }
    | { readonly kind: 'stage'; readonly stage: Kind; readonly plugin: string; readonly settings: unknown }
  /** The plugins that may be loaded, by their names in the config; any where absent. */
  readonly running?: RunningPlugins
}

export const verdictOf = (read: ReadResult): Verdict =>
  read.ok ? { ok: true } : { ok: false, problems: read.problems.map(withoutPlace) }

const withoutPlace = ({
  pointer,
  code,
  message,
  expected,
  suggestion,
}: QuestionProblem): QuestionProblem => ({
  pointer,
  code,
  message,
  ...(expected !== undefined && { expected }),
  ...(suggestion !== undefined && { suggestion }),
})

/** Milliseconds for one answer, its process included. */
const WITHIN = 10_000
/** Questions that wait for others; one is answered at a time. */
const MOST_WAITING = 8
const MOST_MEMORY_MIB = 512

/**
 * Answers in a process of its own: thousands of regexes, or a schema that is costly to compile, would hold up the event loop
 * for as long as they take, and must not hold up probes and events.
 */
export function questionsInProcess(
  settings: Settings,
  folder: string,
  config: () => CheckedConfig,
): ConfigQuestions {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  const ask = async (question: Omit<Question, 'settings'>): Promise<Verdict> => {
    if (waiting >= MOST_WAITING) throw unanswered(`${MOST_WAITING} others wait`)
    waiting++
    const mine = last.then(() => answerOf({ ...question, settings }))
    last = mine.catch(() => {})
    return mine.finally(() => waiting--)
  }
  const running = (): RunningPlugins => runningPlugins(config(), folder)
  return {
    file: (text, mayLoad) => ask({ asked: { kind: 'file', text }, ...(!mayLoad && { running: running() }) }),
    stage: ({ kind, name }, stageSettings) =>
      ask({
        asked: { kind: 'stage', stage: kind, plugin: name, settings: stageSettings },
        running: running(),
      }),
  }
}

/** The plugins from outside that the config has which runs. */
function runningPlugins(config: CheckedConfig, folder: string): RunningPlugins {
  const texts = config.contents()
  const names = JSON.stringify(config.written).match(/(?<="plugin":")[^"]+/g) ?? []
  return Object.fromEntries(
    names
      .filter(isExternal)
      .map((name) => [name, isPath(name) ? (texts.get(resolve(folder, name)) ?? null) : null]),
  )
}

function answerOf(question: Question): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [`--max-old-space-size=${MOST_MEMORY_MIB}`, builtFile('cli.js'), 'answer'],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    )
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, WITHIN)
    let answer = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      answer += text
    })
    child.once('error', (error) => reject(unanswered(error.message)))
    child.once('close', () => {
      clearTimeout(timer)
      try {
        resolve(JSON.parse(answer) as Verdict)
      } catch {
        reject(unanswered(timedOut ? `it took longer than ${WITHIN / 1000} s` : 'its process ended'))
      }
    })
    // It may have ended before it read everything; its end tells that.
    child.stdin.on('error', () => {}).end(JSON.stringify(question))
  })
}

const unanswered = (why: string): HeadgateError =>
  new HeadgateError('HG_ADMIN_QUESTION', `The config could not be checked: ${why}.`)

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
