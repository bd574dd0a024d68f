import { isUtf8 } from 'node:buffer'
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { reason } from '../config/files.js'
import type { CheckedConfig } from '../config/read.js'
import { DryRun } from '../dry-run/dry-run.js'
import { makeFolder } from '../lib/make-folder.js'
import { printable } from '../lib/terminal/text.js'
import type { Settings } from '../process/settings.js'
import { type CapturedEvent, readCaptured } from '../scenarios/event-file.js'
import { type RecordedScenario, record, scenarioFile } from '../scenarios/record.js'
import { type CommandInput, EXIT, type Io } from './command.js'
import { choosePipeline, loadOrReport, readInput } from './load.js'

/** `headgate test --record`: scenarios from past events, with the results of the current config as expectations. */
export async function recordScenarios(
  options: CommandInput['options'],
  settings: Settings,
  io: Io,
): Promise<number> {
  const source = String(options['record'])
  const out = options['out'] as string | undefined
  if (out === undefined) {
    io.err('Give the file that --record writes with --out.\n')
    return EXIT.usage
  }
  const path = resolve(io.cwd, out)
  if (options['force'] !== true && existsSync(path)) {
    io.err(`${out} exists; --force overwrites it.\n`)
    return EXIT.wrong
  }
  const config = await loadOrReport(settings, io, { unresolved: 'placeholder' })
  if (config === undefined) return EXIT.config
  const read = await readInput(source, io)
  if (read === undefined) return EXIT.wrong
  if (!isUtf8(read)) {
    io.err(`${source} is not UTF-8, so its events cannot be written to a scenario file.\n`)
    return EXIT.wrong
  }
  const { events, skipped } = readCaptured(read.toString())
  const named = options['pipeline'] as string | undefined
  const problem = pipelineProblem(events, named, config)
  if (problem !== undefined) {
    io.err(`${problem}\n`)
    return EXIT.usage
  }
  const scenarios = await record(events, new DryRun(config), named ?? config.pipelines[0]?.name)
  if (scenarios.length === 0) {
    io.err(`${source === '-' ? 'Standard input' : source} has no events.\n`)
    return EXIT.wrong
  }
  try {
    makeFolder(dirname(path))
    writeFileSync(path, scenarioFile(scenarios, schemaFor(path, resolve(io.cwd, settings.config))))
  } catch (error) {
    io.err(`Cannot write ${out}: ${reason(error)}.\n`)
    return EXIT.wrong
  }
  io.out(summary(scenarios, out, events.length, skipped))
  return EXIT.ok
}

/** Every event needs a pipeline. */
function pipelineProblem(
  events: readonly CapturedEvent[],
  named: string | undefined,
  { pipelines }: CheckedConfig,
): string | undefined {
  const names = pipelines.map(({ name }) => name)
  for (const { line, letter } of events) {
    const chosen = choosePipeline(letter?.pipeline ?? named, names)
    if ('problem' in chosen) return `Line ${line}: ${chosen.problem}`
  }
  return undefined
}

/** The path from the new file to the editor schema next to the config. */
function schemaFor(path: string, config: string): string | undefined {
  const schema = join(dirname(config), 'schemas/scenarios.schema.json')
  if (!existsSync(schema)) return undefined
  const from = relative(dirname(path), schema)
  return from.startsWith('.') ? from : `./${from}`
}

/** The scenarios that were written, and a list for a person to check. */
function summary(
  scenarios: readonly RecordedScenario[],
  out: string,
  events: number,
  skipped: readonly string[],
): string {
  const counts = new Map<string, number>()
  for (const { summary } of scenarios) counts.set(summary, (counts.get(summary) ?? 0) + 1)
  const same = events - scenarios.length
  const repeated =
    same === 0 ? '' : `; ${same} ${same === 1 ? 'event was' : 'events were'} the same as another`
  const doubts = scenarios.flatMap(({ name, doubt }) =>
    doubt === undefined ? [] : [`${printable(name)}: ${printable(doubt)}`],
  )
  const toCheck = [
    ...doubts,
    'The expectations are the results of the current config. Check that they are the results you want.',
    'The events are unchanged: remove secrets and personal data before you commit them.',
    'Senders are not verified: no scenario has "verify".',
    ...skipped.map((line) => `Left out: ${line}.`),
  ]
  return [
    `${scenarios.length} ${scenarios.length === 1 ? 'scenario' : 'scenarios'} written to ${out}${repeated}:`,
    ...[...counts].map(([result, count]) => `  ${String(count).padStart(5)}  ${printable(result)}`),
    'To check:',
    ...toCheck.map((line) => `  - ${line}`),
    '',
  ].join('\n')
}
