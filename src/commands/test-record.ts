import { isUtf8 } from 'node:buffer'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { reason } from '../config/files.js'
import type { CheckedConfig } from '../config/read.js'
import { rehearse } from '../dry-run/dry-run.js'
import { printable } from '../lib/terminal/text.js'
import type { Settings } from '../process/settings.js'
import {
  type Captured,
  type RecordedScenario,
  readCaptured,
  record,
  scenarioFile,
} from '../scenarios/record.js'
import { type CommandInput, EXIT, type Io } from './command.js'
import { choosePipeline, loadConfig, readInput } from './load.js'
import { problemReport } from './problems.js'

/** `headgate test --record`: scenarios of what came, expecting what the config makes of it now. */
export async function recordScenarios(
  options: CommandInput['options'],
  settings: Settings,
  io: Io,
): Promise<number> {
  const source = String(options['record'])
  const out = options['out'] as string | undefined
  if (out === undefined) {
    io.err('Name the file that --record writes with --out.\n')
    return EXIT.usage
  }
  const path = resolve(io.cwd, out)
  if (options['force'] !== true && existsSync(path)) {
    io.err(`${out} exists; --force writes over it.\n`)
    return EXIT.wrong
  }
  const loaded = await loadConfig(settings, io, { unresolved: 'placeholder' })
  if (!loaded.ok) {
    io.err(problemReport(loaded, io))
    return EXIT.config
  }
  const { config } = loaded
  const read = await readInput(source, io)
  if (read === undefined) return EXIT.wrong
  if (!isUtf8(read)) {
    io.err(`${source} is not UTF-8, so what is in it cannot be written as it is.\n`)
    return EXIT.wrong
  }
  const { events, skipped } = readCaptured(read.toString())
  const named = options['pipeline'] as string | undefined
  const complaint = objection(events, named, config)
  if (complaint !== undefined) {
    io.err(`${complaint}\n`)
    return EXIT.usage
  }
  const scenarios = await record(events, rehearse(config), named ?? config.pipelines[0]?.name)
  if (scenarios.length === 0) {
    io.err(`${source === '-' ? 'Standard input' : source} has no events.\n`)
    return EXIT.wrong
  }
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, scenarioFile(scenarios, schemaFor(path, resolve(io.cwd, settings.config))))
  } catch (error) {
    io.err(`${out} cannot be written: ${reason(error)}.\n`)
    return EXIT.wrong
  }
  io.out(summary(scenarios, out, events.length, skipped))
  return EXIT.ok
}

/** Which pipeline would get an event has to be known. */
function objection(
  events: readonly Captured[],
  named: string | undefined,
  { pipelines }: CheckedConfig,
): string | undefined {
  const names = pipelines.map(({ name }) => name)
  for (const { line, letter } of events) {
    const chosen = choosePipeline(letter?.pipeline ?? named, names)
    if ('complaint' in chosen) return `Line ${line}: ${chosen.complaint}`
  }
  return undefined
}

/** The editor schema beside the config, as the new file has to name it. */
function schemaFor(path: string, config: string): string | undefined {
  const schema = join(dirname(config), 'schemas/scenarios.schema.json')
  if (!existsSync(schema)) return undefined
  const from = relative(dirname(path), schema)
  return from.startsWith('.') ? from : `./${from}`
}

/** What was made, and what only a person can know. */
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
  const left = [
    ...doubts,
    'The expectations are what happens now. Whether it is what should happen, only you can say.',
    'The events are as they came: take out what is secret or personal before you commit them.',
    'Who sent an event is not looked at: no scenario has "verify".',
    ...skipped.map((line) => `Left out: ${line}.`),
  ]
  return [
    `${scenarios.length} ${scenarios.length === 1 ? 'scenario' : 'scenarios'} written to ${out}${repeated}:`,
    ...[...counts].map(([what, count]) => `  ${String(count).padStart(5)}  ${printable(what)}`),
    'Left to check:',
    ...left.map((line) => `  - ${line}`),
    '',
  ].join('\n')
}
