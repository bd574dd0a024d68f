import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CheckedConfig } from '../config/read.js'
import { type Rehearsal, type Rehearsed, rehearse } from '../dry-run/dry-run.js'
import { styleFor } from '../lib/terminal/text.js'
import type { Settings } from '../process/settings.js'
import { type Covered, coverage } from '../scenarios/coverage.js'
import { knownNames } from '../scenarios/names.js'
import { type BrokenFile, readScenarios, type Scenario, scenarioFiles } from '../scenarios/read.js'
import { jsonReport, junit, report } from '../scenarios/report.js'
import { type FileResult, passed, runScenario } from '../scenarios/run.js'
import { type Command, EXIT, type Io } from './command.js'
import { loadConfig, loadSettings, settingOptions } from './load.js'
import { problemReport } from './problems.js'
import { recordScenarios } from './test-record.js'

export const testCommand: Command = {
  name: 'test',
  summary: 'Runs scenarios: an event in, what must come of it out. Nothing is sent anywhere.',
  details: `Scenarios stand in JSON files beside the config: scenarios.json, *.scenarios.json, scenarios/*.json. They run through the
stages of the config; records and acknowledge requests are caught. Rules that no scenario reached are named. Exits with 0
where every scenario passed, with 1 where one did not or a file is wrong.

  headgate test --junit report.xml --require-coverage
  headgate test --record letters.jsonl --out scenarios/letters.json

--record takes the lines of "headgate dlq export", or events as they were sent, one JSON document a line. What becomes of
them with the config as it is now is written as the expectation; a person has to judge it.`,
  arguments: [{ name: '[files...]', description: 'Scenario files; those beside the config where absent.' }],
  options: [
    ...settingOptions().filter(({ flags }) => flags.startsWith('--config ')),
    { flags: '--filter <text>', description: 'Only scenarios with this text in their name.' },
    { flags: '--require-coverage', description: 'Fails where a rule matched in no scenario.' },
    { flags: '--junit <file>', description: 'Writes the results as JUnit XML, too.' },
    { flags: '--json', description: 'Prints the results as JSON.' },
    {
      flags: '--record <source>',
      description: 'Makes scenarios of dead letters or captured events, JSON lines; "-" for standard input.',
    },
    { flags: '--out <file>', description: 'Where --record writes them. Required with it.' },
    { flags: '--pipeline <name>', description: 'The pipeline of captured events, where there are several.' },
    { flags: '--force', description: 'Lets --record write over a file that exists.' },
  ],
  async run({ arguments: files, options }, io) {
    const settings = loadSettings(options, io)
    if (settings === undefined) return EXIT.usage
    if (options['record'] !== undefined) return recordScenarios(options, settings, io)
    const filter = options['filter'] as string | undefined
    const required = options['requireCoverage'] === true
    if (filter !== undefined && required) {
      io.err('--require-coverage needs every scenario: leave --filter out.\n')
      return EXIT.usage
    }
    const named = files.filter((file) => file !== undefined)
    const configPath = resolve(io.cwd, settings.config)
    const paths = named.length > 0 ? named.map((file) => resolve(io.cwd, file)) : scenarioFiles(configPath)
    if (paths.length === 0) {
      io.err(
        `There are no scenarios beside ${settings.config}: no scenarios.json, no *.scenarios.json, no scenarios/*.json.\n`,
      )
      return EXIT.usage
    }
    const loaded = await loadScenarios(paths, settings, io)
    if (!loaded.ok) {
      io.err(loaded.broken.map((file) => problemReport(file, io)).join('\n'))
      return EXIT.wrong
    }
    const results = await runSuites(loaded.suites, filter)
    if (results.length === 0) {
      io.err(`No scenario has ${JSON.stringify(filter)} in its name.\n`)
      return EXIT.usage
    }
    const ways = filter === undefined ? covered(loaded.suites, results) : undefined
    return tell(results, ways, required, options, io)
  },
}

async function runSuites(suites: readonly Suite[], filter: string | undefined): Promise<FileResult[]> {
  const wanted = filter?.toLowerCase()
  const files: FileResult[] = []
  for (const { file, scenarios, rehearsal } of suites) {
    const chosen = scenarios.filter(({ name }) => wanted === undefined || name.toLowerCase().includes(wanted))
    const results = []
    for (const scenario of chosen) results.push(await runScenario(scenario, rehearsal))
    if (results.length > 0) files.push({ file, results })
  }
  return files
}

/** All suites are about one config file, so any of them knows its rules. */
function covered([suite]: readonly Suite[], files: readonly FileResult[]): Covered[] {
  const runs: Rehearsed[] = files.flatMap(({ results }) => results.map(({ rehearsed }) => rehearsed))
  return suite === undefined ? [] : coverage(suite.config, suite.rehearsal, runs)
}

function tell(
  files: readonly FileResult[],
  ways: readonly Covered[] | undefined,
  required: boolean,
  options: { readonly [name: string]: unknown },
  io: Io,
): number {
  const uncovered = required && ways?.some(({ count }) => count === 0) === true
  const failed = files.some(({ results }) => !results.every(passed))
  if (options['json'] === true) io.out(jsonReport(files, ways))
  else io.out(report(files, ways, required, styleFor(io.terminal.out, io.env)))
  const file = options['junit'] as string | undefined
  const written = file === undefined || write(file, junit(files, required ? ways : undefined), io)
  return failed || uncovered || !written ? EXIT.wrong : EXIT.ok
}

function write(file: string, text: string, { cwd, err }: Io): boolean {
  try {
    writeFileSync(resolve(cwd, file), text)
    return true
  } catch (error) {
    err(`${file} cannot be written: ${(error as Error).message}.\n`)
    return false
  }
}

/** A file of scenarios with the config that they run on. */
export interface Suite {
  readonly file: string
  readonly scenarios: readonly Scenario[]
  readonly config: CheckedConfig
  readonly rehearsal: Rehearsal
}

export type LoadedScenarios =
  | { readonly ok: true; readonly suites: readonly Suite[] }
  | { readonly ok: false; readonly broken: readonly BrokenFile[] }

/** Reads scenario files, and the config for each with the environment that it gives. Every problem of all of them. */
export async function loadScenarios(
  paths: readonly string[],
  settings: Settings,
  io: Io,
): Promise<LoadedScenarios> {
  const suites: Suite[] = []
  const broken: BrokenFile[] = []
  for (const path of paths) {
    const read = readScenarios(path, io.cwd)
    if (!read.ok) {
      broken.push(read)
      continue
    }
    const { file, environment } = read.text
    const env = { ...io.env, ...environment }
    const loaded = await loadConfig(settings, { ...io, env }, { unresolved: 'placeholder' })
    // A config that is broken is so for every file.
    if (!loaded.ok) return { ok: false, broken: [...broken, loaded] }
    const { config } = loaded
    const rehearsal = rehearse(config)
    const held = read.text.scenarios(knownNames(config, rehearsal))
    if (held.ok) suites.push({ file, scenarios: held.scenarios, config, rehearsal })
    else broken.push(held)
  }
  return broken.length > 0 ? { ok: false, broken } : { ok: true, suites }
}
