import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CheckedConfig } from '../config/read.js'
import { DryRun, type DryRunResult } from '../dry-run/dry-run.js'
import { styleFor } from '../lib/terminal/text.js'
import type { Settings } from '../process/settings.js'
import { type CoveredWay, coverage } from '../scenarios/coverage.js'
import { configNames } from '../scenarios/names.js'
import { type BrokenFile, readScenarios, type Scenario, scenarioFiles } from '../scenarios/read.js'
import { jsonReport, junit, report } from '../scenarios/report.js'
import { type FileResult, hasPassed, runScenario } from '../scenarios/run.js'
import { type Command, EXIT, type Io } from './command.js'
import { loadConfig, loadSettings, settingOptions } from './load.js'
import { problemReport } from './problems.js'
import { recordScenarios } from './test-record.js'

export const testCommand: Command = {
  name: 'test',
  summary: 'Runs scenarios: an event and its expected result. Nothing is sent anywhere.',
  details: `Scenarios are in JSON files next to the config: scenarios.json, *.scenarios.json, scenarios/*.json. Each is a dry run of
the stages of the config. Rules that no scenario matched are listed. Exits with 0 if every scenario passed, with 1 if one
failed or a file is wrong.

  headgate test --junit report.xml --require-coverage
  headgate test --record letters.jsonl --out scenarios/letters.json

--record reads the lines of "headgate dlq export", or events as they were sent, one JSON document per line:
{"request": {"headers": {...}}, "event": ...} is one with the parts of its request. It writes the results with the
current config as expectations; you have to check that they are right.`,
  arguments: [{ name: '[files...]', description: 'Scenario files. Default: those next to the config.' }],
  options: [
    ...settingOptions().filter(({ flags }) => flags.startsWith('--config ')),
    { flags: '--filter <text>', description: 'Only scenarios whose name contains this text.' },
    { flags: '--require-coverage', description: 'Fails if a rule matched in no scenario.' },
    { flags: '--junit <file>', description: 'Also writes the results as JUnit XML.' },
    { flags: '--json', description: 'Prints the results as JSON.' },
    {
      flags: '--record <source>',
      description:
        'Makes scenarios from dead letters or captured events, as JSON lines; "-" for standard input.',
    },
    { flags: '--out <file>', description: 'The file that --record writes; required with it.' },
    {
      flags: '--pipeline <name>',
      description: 'The pipeline of captured events; needed only if there are several.',
    },
    { flags: '--force', description: 'Lets --record overwrite an existing file.' },
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
        `There are no scenarios next to ${settings.config}: no scenarios.json, no *.scenarios.json, no scenarios/*.json.\n`,
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
      io.err(`The name of no scenario contains ${JSON.stringify(filter)}.\n`)
      return EXIT.usage
    }
    const ways = filter === undefined ? coverageOf(loaded.suites, results) : undefined
    return printResults(results, ways, required, options, io)
  },
}

async function runSuites(suites: readonly Suite[], filter: string | undefined): Promise<FileResult[]> {
  const wanted = filter?.toLowerCase()
  const files: FileResult[] = []
  for (const { file, scenarios, dryRun } of suites) {
    const chosen = scenarios.filter(({ name }) => wanted === undefined || name.toLowerCase().includes(wanted))
    const results = []
    for (const scenario of chosen) results.push(await runScenario(scenario, dryRun))
    if (results.length > 0) files.push({ file, results })
  }
  return files
}

/** All suites use the same config file, so any of them has its rules. */
function coverageOf([suite]: readonly Suite[], files: readonly FileResult[]): CoveredWay[] {
  const runs: DryRunResult[] = files.flatMap(({ results }) => results.map(({ dryRun }) => dryRun))
  return suite === undefined ? [] : coverage(suite.config, suite.dryRun, runs)
}

function printResults(
  files: readonly FileResult[],
  ways: readonly CoveredWay[] | undefined,
  required: boolean,
  options: { readonly [name: string]: unknown },
  io: Io,
): number {
  const uncovered = required && ways?.some(({ count }) => count === 0) === true
  const failed = files.some(({ results }) => !results.every(hasPassed))
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
    err(`Cannot write ${file}: ${(error as Error).message}.\n`)
    return false
  }
}

/** A file of scenarios with the config that they use. */
export interface Suite {
  readonly file: string
  readonly scenarios: readonly Scenario[]
  readonly config: CheckedConfig
  readonly dryRun: DryRun
}

export type LoadedScenarios =
  | { readonly ok: true; readonly suites: readonly Suite[] }
  | { readonly ok: false; readonly broken: readonly BrokenFile[] }

/** Reads scenario files, and the config with the environment of each. Returns the problems of all files. */
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
    // A broken config is broken for every file.
    if (!loaded.ok) return { ok: false, broken: [...broken, loaded] }
    const { config } = loaded
    const dryRun = new DryRun(config)
    const checked = read.text.scenarios(configNames(config, dryRun))
    if (checked.ok) suites.push({ file, scenarios: checked.scenarios, config, dryRun })
    else broken.push(checked)
  }
  return broken.length > 0 ? { ok: false, broken } : { ok: true, suites }
}
