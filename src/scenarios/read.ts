import { readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { readRegular, readText, reason } from '../config/files.js'
import type { Problem, SourceLocation } from '../config/problem.js'
import { checkShape, type ShapeProblem } from '../config/shape.js'
import { SourceText } from '../config/source-text.js'
import { compactJson } from '../lib/json/difference.js'
import { child } from '../lib/json/pointer.js'
import { type Expect, ScenarioFile, type ScenarioSettings } from './format.js'
import { type ConfigNames, nameProblems } from './names.js'

/** An event, and what must come of it. */
export interface Scenario {
  readonly name: string
  readonly location: SourceLocation
  readonly pipeline: string
  readonly headers: { readonly [name: string]: string }
  readonly body: Buffer
  readonly verify: boolean
  readonly expect: Expect
  /** JSON in the expectation as it is written; by its JSON Pointer below `expect`. */
  written(pointer: string): string
}

/** A file of scenarios; whether what it says is right, a config has to tell. */
interface ScenarioText {
  /** As it is shown to people. */
  readonly file: string
  readonly environment: { readonly [name: string]: string }
  /** What it says, checked, and held against a config: its names are known there. Every problem at once. */
  scenarios(known: ConfigNames): ReadScenarios
}

/** What is wrong with a file, and its lines, so that the places can be shown. */
export interface BrokenFile {
  readonly ok: false
  readonly problems: readonly Problem[]
  readonly lines: readonly string[]
}

type ReadScenarioText = { readonly ok: true; readonly text: ScenarioText } | BrokenFile

type ReadScenarios = { readonly ok: true; readonly scenarios: readonly Scenario[] } | BrokenFile

/** Reads a file of scenarios: JSON with comments and trailing commas. */
export function readScenarios(path: string, cwd: string): ReadScenarioText {
  const file = relative(cwd, path) || path
  let text: string
  try {
    text = readText(path)
  } catch (error) {
    const location = { file, line: 1, column: 1 }
    const message = `The file cannot be read: ${reason(error)}.`
    return {
      ok: false,
      problems: [{ code: 'HG_CONFIG_UNREADABLE', location, pointer: '', message }],
      lines: [],
    }
  }
  const source = new SourceText(file, text, (value) =>
    Object.keys(environmentOf(value)).map((name) => child('/environment', name)),
  )
  if (source.problems.length > 0) return { ok: false, problems: source.problems, lines: source.lines }
  return {
    ok: true,
    text: {
      file,
      environment: environmentOf(source.value),
      scenarios: (known) => scenariosOf(source, dirname(path), known),
    },
  }
}

/** As far as it can be understood: what else is wrong with the file is told with everything that is. */
function environmentOf(value: unknown): { [name: string]: string } {
  const { environment = {} } = (value ?? {}) as { readonly environment?: unknown }
  return Object.fromEntries(
    Object.entries(Object(environment)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
}

function scenariosOf(source: SourceText, folder: string, known: ConfigNames): ReadScenarios {
  const problems = checkShape(ScenarioFile, source.value)
  const settings = source.value as ScenarioFile
  const entries = entriesOf(settings)
  const whole = wellFormed(entries, problems)
  problems.push(...contentProblems(entries), ...nameProblems(settings, whole, known))
  const scenarios = whole.flatMap(([index, scenario]): Scenario[] => {
    const at = child('/scenarios', index)
    const written = (pointer: string) => compactJson(source.slice(`${at}${pointer}`) ?? '')
    const body = bodyOf(scenario, () => written('/event'), folder)
    if (!Buffer.isBuffer(body)) {
      problems.push({ ...body, pointer: `${at}/file` })
      return []
    }
    return [
      {
        name: scenario.name,
        location: source.locationOf(`${at}/name`),
        pipeline: scenario.pipeline ?? settings.pipeline ?? known.pipelines[0]?.name ?? '',
        headers: lowerCase(scenario.headers ?? {}),
        body,
        verify: scenario.verify ?? false,
        expect: scenario.expect,
        written: (pointer) => written(`/expect${pointer}`),
      },
    ]
  })
  if (problems.length === 0) return { ok: true, scenarios }
  return { ok: false, problems: withLocations(problems, source), lines: source.lines }
}

type Entry = readonly [number, ScenarioSettings]

/** The scenarios with their places in the list, as far as there is one; what they have in them need not be right. */
function entriesOf(file: unknown): Entry[] {
  const { scenarios } = Object(file) as { readonly scenarios?: unknown }
  if (!Array.isArray(scenarios)) return []
  return [...scenarios.entries()].filter(([, scenario]) => typeof scenario === 'object' && scenario !== null)
}

const wellFormed = (entries: readonly Entry[], problems: readonly ShapeProblem[]): Entry[] =>
  entries.filter(([index]) => {
    const at = child('/scenarios', index)
    return !problems.some(({ pointer }) => pointer === at || pointer.startsWith(`${at}/`))
  })

function bodyOf(
  { text, file }: ScenarioSettings,
  event: () => string,
  folder: string,
): Buffer | Omit<ShapeProblem, 'pointer'> {
  if (text !== undefined) return Buffer.from(text)
  if (file === undefined) return Buffer.from(event())
  try {
    return readRegular(resolve(folder, file))
  } catch (error) {
    return { code: 'HG_CONFIG_UNREADABLE', message: `The file cannot be read: ${reason(error)}.` }
  }
}

const BODIES = ['event', 'file', 'text'] as const

function* contentProblems(entries: readonly Entry[]): Iterable<ShapeProblem> {
  const names = new Set<unknown>()
  for (const [index, scenario] of entries) {
    const pointer = child('/scenarios', index)
    const [first, second] = BODIES.filter((name) => Object.hasOwn(scenario, name))
    if (first === undefined) {
      yield {
        pointer,
        code: 'HG_CONFIG_MISSING_KEY',
        message: 'The scenario has no event.',
        expected: '"event": the JSON itself, "file": a path, or "text": what is not JSON',
      }
    }
    if (second !== undefined) {
      const message = `The body stands in "${first}" already.`
      yield { pointer: child(pointer, second), key: true, code: 'HG_CONFIG_CONFLICT', message }
    }
    if (names.has(scenario.name)) {
      const message = 'Another scenario of this file has this name.'
      yield { pointer: `${pointer}/name`, code: 'HG_CONFIG_CONFLICT', message }
    }
    if (scenario.name !== undefined) names.add(scenario.name)
  }
}

const withLocations = (problems: readonly ShapeProblem[], text: SourceText): Problem[] =>
  problems
    .map(({ key, ...problem }) => {
      const found = key ? undefined : text.quote(problem.pointer)
      const location = key ? text.locationOfKey(problem.pointer) : text.locationOf(problem.pointer)
      return { ...problem, location, ...(found !== undefined && { found }) }
    })
    .sort((a, b) => a.location.line - b.location.line || a.location.column - b.location.column)

const lowerCase = (headers: { readonly [name: string]: string }): { [name: string]: string } =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const BESIDE = /^(?:.*\.)?scenarios\.json$/

/** The scenario files of a config: `scenarios.json` and `*.scenarios.json` beside it, and `scenarios/*.json`. */
export function scenarioFiles(configPath: string): string[] {
  const folder = dirname(configPath)
  const own = names(folder).filter((name) => BESIDE.test(name))
  const below = names(join(folder, 'scenarios')).filter((name) => name.endsWith('.json'))
  return [...own.map((name) => join(folder, name)), ...below.map((name) => join(folder, 'scenarios', name))]
}

/** Of a folder that is not there, none. */
function names(folder: string): string[] {
  try {
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory())
    return files.map(({ name }) => name).sort()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}
