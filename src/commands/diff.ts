import type { CheckedConfig } from '../config/read.js'
import { ComparisonCounts, compareEvent, type Diff, isSame } from '../dry-run/compare.js'
import { DryRun } from '../dry-run/dry-run.js'
import { progressBar } from '../lib/terminal/progress.js'
import { printable, styleFor } from '../lib/terminal/text.js'
import type { Settings } from '../process/settings.js'
import { type Command, type CommandInput, EXIT, type Io } from './command.js'
import { eventsFromTopics, type PastEvents, pastEvents } from './diff-input.js'
import { report } from './diff-report.js'
import { choosePipeline, loadOrReport, loadSettings, orExit, readInput, settingOptions } from './load.js'

const WHOLE = /^[1-9][0-9]{0,6}$/

export const diffCommand: Command = {
  name: 'diff',
  summary: 'Shows which past events would go elsewhere under another config.',
  details: `A dry run of every event with both configs; nothing is written or acknowledged. Senders are not verified. References in
source, sink and post-commit stages need no value, unless Kafka is read.

The events are bodies, one per line or in one JSON array, or the output of "dlq export"; {"request": {"headers": {...}}, "event": ...}
is one with the parts of its request. With --from-topic they are read from
a topic that the pipeline wrote to: if "value" of the sink is only a part of the event, only that part, key and headers exist.

  headgate diff new.json --events events.jsonl
  headgate diff new.json --from-topic orders.default --limit 1000`,
  arguments: [{ name: '<new>', description: 'The other config file.' }],
  options: [
    ...settingOptions().filter(({ flags }) => flags.startsWith('--config ')),
    { flags: '--pipeline <name>', description: 'The pipeline; needed only if there are several.' },
    { flags: '--events <file>', description: 'File with events; "-" for standard input.' },
    {
      flags: '--from-topic <topic>',
      description: 'Reads the events from the records in this topic of the pipeline.',
    },
    { flags: '--brokers <addresses>', description: 'Addresses of Kafka, instead of those in the config.' },
    { flags: '--limit <n>', description: 'Only the last events, at most so many.', default: '10000' },
    { flags: '--examples <n>', description: 'How many ids are shown for each difference.', default: '5' },
    { flags: '--exit-code', description: 'Exits with 1 if there are differences.' },
    { flags: '--json', description: 'Prints everything as JSON.' },
  ],
  async run({ arguments: [file = ''], options }, io) {
    const settings = loadSettings(options, io)
    const request = readRequest(options, io.err)
    if (settings === undefined || request === undefined) return EXIT.usage
    const before = await loaded(settings, io)
    const after = await loaded({ ...settings, config: file }, io)
    if (before === undefined) return EXIT.config
    if (after === undefined) return EXIT.wrong

    const shared = before.dryRun.pipelines.filter((name) => after.dryRun.pipelines.includes(name))
    if (shared.length === 0) {
      io.err(`${before.config.file} and ${after.config.file} have no pipeline in common.\n`)
      return EXIT.usage
    }
    const chosen = choosePipeline(options['pipeline'] as string | undefined, shared)
    if ('problem' in chosen) {
      io.err(`${chosen.problem}\n`)
      return EXIT.usage
    }
    const past = await eventsOf(request, chosen.pipeline, before, io)
    if (past === undefined) return EXIT.wrong
    if (past.events.length === 0) {
      io.err(`There are no events to compare.\n${past.notes.map((note) => `${printable(note)}\n`).join('')}`)
      return EXIT.wrong
    }
    const compared = await orExit(io, () =>
      compareConfigs(past, chosen.pipeline, before, after, request.examples, io),
    )
    if (compared === undefined) return EXIT.wrong
    io.out(
      options['json'] === true
        ? `${JSON.stringify(compared, undefined, 2)}\n`
        : report(compared, styleFor(io.terminal.out, io.env)),
    )
    return options['exitCode'] === true && !isSame(compared.comparison) ? EXIT.wrong : EXIT.ok
  },
}

interface DiffRequest {
  readonly from: { readonly events: string } | { readonly topic: string }
  readonly brokers: string | undefined
  readonly limit: number
  readonly examples: number
}

export interface Loaded {
  readonly config: CheckedConfig
  readonly dryRun: DryRun
}

function readRequest(options: CommandInput['options'], err: (text: string) => void): DiffRequest | undefined {
  const text = (name: string) => options[name] as string | undefined
  const events = text('events')
  const topic = text('fromTopic')
  const complaints: string[] = []
  if ((events === undefined) === (topic === undefined))
    complaints.push('Give either --events FILE or --from-topic TOPIC.')
  const whole = (name: string, preset: number): number => {
    const typed = text(name)
    if (typed === undefined) return preset
    if (!WHOLE.test(typed))
      complaints.push(`--${name} should be a whole number from 1; it is ${JSON.stringify(typed)}.`)
    return Number(typed)
  }
  const limit = whole('limit', 10_000)
  const examples = whole('examples', 5)
  if (complaints.length > 0) {
    err(`${complaints.join('\n')}\n`)
    return undefined
  }
  const from = topic === undefined ? { events: events ?? '' } : { topic }
  return { from, brokers: text('brokers'), limit, examples }
}

async function loaded(settings: Settings, io: Io): Promise<Loaded | undefined> {
  const config = await loadOrReport(settings, io, { unresolved: 'placeholder' })
  return config && { config, dryRun: new DryRun(config) }
}

async function eventsOf(
  { from, brokers, limit }: DiffRequest,
  pipeline: string,
  { config, dryRun }: Loaded,
  io: Io,
): Promise<PastEvents | undefined> {
  if ('topic' in from) {
    const checked = config.pipelines.find(({ name }) => name === pipeline)
    const options = { topics: [from.topic], limit, brokers }
    return checked && orExit(io, () => eventsFromTopics(config, checked, dryRun, options, io))
  }
  const bytes = await readInput(from.events, io)
  if (bytes === undefined) return undefined
  const past = pastEvents(bytes.toString(), pipeline)
  const older = past.events.length - limit
  if (older <= 0) return past
  const note = `${older} events at the beginning of ${from.events} are left out; a larger --limit includes them.`
  return { events: past.events.slice(-limit), notes: [...past.notes, note] }
}

/** Runs past events under both configs. `examples`: the most names that are listed for each difference. */
export async function compareConfigs(
  { events, notes }: PastEvents,
  pipeline: string,
  before: Loaded,
  after: Loaded,
  examples: number,
  io: Io,
): Promise<Diff> {
  const counts = new ComparisonCounts(examples)
  const progress = progressBar(io.err, io.terminal.err)
  let withoutId = 0
  const readRequests = [before, after].some(({ dryRun }) => dryRun.readsRequests(pipeline))
  const withoutRequest = readRequests ? events.filter(({ request }) => request === undefined).length : 0
  for (const [index, event] of events.entries()) {
    const result = await compareEvent(event, before.dryRun, after.dryRun)
    if (result.withoutId) withoutId++
    counts.add(result)
    progress.show(`${index + 1} of ${events.length} events`, index + 1, events.length)
  }
  progress.end()
  const noId = `${withoutId} events have no id under either config, perhaps because it is in a header. They were compared anyway.`
  const noRequest = `${withoutRequest} ${withoutRequest === 1 ? 'event has' : 'events have'} no request: rules find no header, query, path or method there.`
  return {
    pipeline,
    before: before.config.file,
    after: after.config.file,
    comparison: counts.result(),
    notes: [...notes, ...(withoutId === 0 ? [] : [noId]), ...(withoutRequest === 0 ? [] : [noRequest])],
  }
}
