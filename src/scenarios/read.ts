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

/** An event and its expected result. */
export interface Scenario {
  readonly name: string
  readonly location: SourceLocation
  readonly pipeline: string
  readonly method: string | undefined
  readonly query: string | undefined
  readonly headers: { readonly [name: string]: string }
  readonly body: Buffer
  readonly verify: boolean
  readonly expect: Expect
  /** The JSON text in the file, at a JSON Pointer below `expect`. */
  written(pointer: string): string
}

/** A parsed file of scenarios; not yet checked against a config. */
interface ScenarioText {
  /** Path for messages. */
  readonly file: string
  readonly environment: { readonly [name: string]: string }
  /** The scenarios, checked, also against the names in a config. Reports every problem at once. */
  scenarios(config: ConfigNames): ReadScenarios
}

/** The problems of a file, and its lines, to quote them in messages. */
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
    const message = `Cannot read the file: ${reason(error)}.`
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
      scenarios: (config) => scenariosOf(source, dirname(path), config),
    },
  }
}

/** Ignores invalid entries: `scenariosOf` reports them together with all other problems. */
function environmentOf(value: unknown): { [name: string]: string } {
  const { environment = {} } = (value ?? {}) as { readonly environment?: unknown }
  return Object.fromEntries(
    Object.entries(Object(environment)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
}

function scenariosOf(source: SourceText, folder: string, config: ConfigNames): ReadScenarios {
  const problems = checkShape(ScenarioFile, source.value)
  const settings = source.value as ScenarioFile
  const entries = entriesOf(settings)
  const valid = wellFormed(entries, problems)
  problems.push(...contentProblems(entries), ...nameProblems(settings, valid, config))
  const scenarios = valid.flatMap(([index, scenario]): Scenario[] => {
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
        pipeline: scenario.pipeline ?? settings.pipeline ?? config.pipelines[0]?.name ?? '',
        method: scenario.method,
        query: scenario.query,
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

/** The scenarios with their indexes, if there is a list of them; their contents may be invalid. */
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
  { text, file, ...scenario }: ScenarioSettings,
  event: () => string,
  folder: string,
): Buffer | Omit<ShapeProblem, 'pointer'> {
  if (text !== undefined) return Buffer.from(text)
  if (file === undefined) return Buffer.from('event' in scenario ? event() : '')
  try {
    return readRegular(resolve(folder, file))
  } catch (error) {
    return { code: 'HG_CONFIG_UNREADABLE', message: `Cannot read the file: ${reason(error)}.` }
  }
}

const BODIES = ['event', 'file', 'text'] as const

function* contentProblems(entries: readonly Entry[]): Iterable<ShapeProblem> {
  const names = new Set<unknown>()
  for (const [index, scenario] of entries) {
    const pointer = child('/scenarios', index)
    const [first, second] = BODIES.filter((name) => Object.hasOwn(scenario, name))
    if (first === undefined && scenario.method === undefined) {
      yield {
        pointer,
        code: 'HG_CONFIG_MISSING_KEY',
        message: 'The scenario has no event.',
        expected:
          '"event": the JSON itself, "file": a path, "text": a body that is not JSON, or "method": a request without a body',
      }
    }
    if (second !== undefined) {
      const message = `The scenario already has a body, in "${first}".`
      yield { pointer: child(pointer, second), key: true, code: 'HG_CONFIG_CONFLICT', message }
    }
    if (names.has(scenario.name)) {
      const message = 'Another scenario in this file has the same name.'
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

const SCENARIO_FILE = /^(?:.*\.)?scenarios\.json$/

/** The scenario files of a config: `scenarios.json` and `*.scenarios.json` in its folder, and `scenarios/*.json`. */
export function scenarioFiles(configPath: string): string[] {
  const folder = dirname(configPath)
  const own = names(folder).filter((name) => SCENARIO_FILE.test(name))
  const below = names(join(folder, 'scenarios')).filter((name) => name.endsWith('.json'))
  return [...own.map((name) => join(folder, name)), ...below.map((name) => join(folder, 'scenarios', name))]
}

/** Empty if the folder does not exist. */
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
