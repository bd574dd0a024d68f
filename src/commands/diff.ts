import type { CheckedConfig } from '../config/read.js'
import { compareEvent, comparing, isSame } from '../dry-run/compare.js'
import { type Rehearsal, rehearse } from '../dry-run/dry-run.js'
import { progressBar } from '../lib/terminal/progress.js'
import { printable, styleFor } from '../lib/terminal/text.js'
import type { Settings } from '../process/settings.js'
import { type Command, type CommandInput, EXIT, type Io } from './command.js'
import { eventsFromTopic, type PastEvents, pastEvents } from './diff-input.js'
import { type Diffed, report } from './diff-report.js'
import { choosePipeline, loadConfig, loadSettings, readInput, settingOptions, tried } from './load.js'
import { problemReport } from './problems.js'

const WHOLE = /^[1-9][0-9]{0,6}$/

export const diffCommand: Command = {
  name: 'diff',
  summary: 'Shows which old events would go elsewhere under another config.',
  details: `Every event is run through the stages of both configs; nothing is written, and nobody is told. Who sent an event is not
asked. References in source, sink and post-commit stages need no value, unless Kafka is read.

The events are bodies, one a line or in one JSON array, or what "dlq export" wrote. With --from-topic they are what the
pipeline wrote to a topic: where "value" of the sink is a part of the event, only that part, key and headers are there.

  headgate diff new.json --events events.jsonl
  headgate diff new.json --from-topic orders.default --limit 1000`,
  arguments: [{ name: '<new>', description: 'The other config file.' }],
  options: [
    ...settingOptions().filter(({ flags }) => flags.startsWith('--config ')),
    { flags: '--pipeline <name>', description: 'The pipeline. The only one, if not given.' },
    { flags: '--events <file>', description: 'File with events; "-" for standard input.' },
    {
      flags: '--from-topic <topic>',
      description: 'Reads what the pipeline wrote to this topic of its Kafka.',
    },
    { flags: '--brokers <addresses>', description: 'Kafka, instead of what the config says.' },
    { flags: '--limit <n>', description: 'Only the last so many events.', default: '10000' },
    { flags: '--examples <n>', description: 'How many ids are shown of each difference.', default: '5' },
    { flags: '--exit-code', description: 'Exits with 1 where there are differences.' },
    { flags: '--json', description: 'All of it as JSON.' },
  ],
  async run({ arguments: [file = ''], options }, io) {
    const settings = loadSettings(options, io)
    const asked = readAsked(options, io.err)
    if (settings === undefined || asked === undefined) return EXIT.usage
    const before = await loaded(settings, io)
    const after = await loaded({ ...settings, config: file }, io)
    if (before === undefined) return EXIT.config
    if (after === undefined) return EXIT.wrong

    const shared = before.rehearsal.pipelines.filter((name) => after.rehearsal.pipelines.includes(name))
    if (shared.length === 0) {
      io.err(`${before.config.file} and ${after.config.file} have no pipeline in common.\n`)
      return EXIT.usage
    }
    const chosen = choosePipeline(options['pipeline'] as string | undefined, shared)
    if ('complaint' in chosen) {
      io.err(`${chosen.complaint}\n`)
      return EXIT.usage
    }
    const past = await eventsOf(asked, chosen.pipeline, before, io)
    if (past === undefined) return EXIT.wrong
    if (past.events.length === 0) {
      io.err(`There are no events to compare.\n${past.notes.map((note) => `${printable(note)}\n`).join('')}`)
      return EXIT.wrong
    }
    const diffed = await tried(io, () => diff(past, chosen.pipeline, before, after, asked, io))
    if (diffed === undefined) return EXIT.wrong
    io.out(
      options['json'] === true
        ? `${JSON.stringify(diffed, undefined, 2)}\n`
        : report(diffed, styleFor(io.terminal.out, io.env)),
    )
    return options['exitCode'] === true && !isSame(diffed.comparison) ? EXIT.wrong : EXIT.ok
  },
}

interface Asked {
  readonly from: { readonly events: string } | { readonly topic: string }
  readonly brokers: string | undefined
  readonly limit: number
  readonly examples: number
}

interface Loaded {
  readonly config: CheckedConfig
  readonly rehearsal: Rehearsal
}

function readAsked(options: CommandInput['options'], err: (text: string) => void): Asked | undefined {
  const text = (name: string) => options[name] as string | undefined
  const events = text('events')
  const topic = text('fromTopic')
  const complaints: string[] = []
  if ((events === undefined) === (topic === undefined))
    complaints.push('Say where the events are: --events FILE or --from-topic TOPIC, one of the two.')
  const whole = (name: string, preset: number): number => {
    const given = text(name)
    if (given === undefined) return preset
    if (!WHOLE.test(given))
      complaints.push(`--${name} should be a whole number from 1; it is ${JSON.stringify(given)}.`)
    return Number(given)
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
  const read = await loadConfig(settings, io, { unresolved: 'placeholder' })
  if (read.ok) return { config: read.config, rehearsal: rehearse(read.config) }
  io.err(problemReport(read, io))
  return undefined
}

async function eventsOf(
  { from, brokers, limit }: Asked,
  pipeline: string,
  { config, rehearsal }: Loaded,
  io: Io,
): Promise<PastEvents | undefined> {
  if ('topic' in from) {
    const checked = config.pipelines.find(({ name }) => name === pipeline)
    return checked && eventsFromTopic(config, checked, rehearsal, { topic: from.topic, limit, brokers }, io)
  }
  const bytes = await readInput(from.events, io)
  if (bytes === undefined) return undefined
  const past = pastEvents(bytes.toString(), pipeline)
  const older = past.events.length - limit
  if (older <= 0) return past
  const note = `Events at the beginning of ${from.events} that are left out: ${older}; --limit takes more.`
  return { events: past.events.slice(-limit), notes: [...past.notes, note] }
}

async function diff(
  { events, notes }: PastEvents,
  pipeline: string,
  before: Loaded,
  after: Loaded,
  { examples }: Asked,
  io: Io,
): Promise<Diffed> {
  const sums = comparing(examples)
  const progress = progressBar(io.err, io.terminal.err)
  let withoutId = 0
  for (const [index, event] of events.entries()) {
    const compared = await compareEvent(event, before.rehearsal, after.rehearsal)
    if (compared.withoutId) withoutId++
    sums.add(compared)
    progress.show(`${index + 1} of ${events.length} events`, index + 1, events.length)
  }
  progress.end()
  const noId = `Events that have no id under either config, as where it comes in a header: ${withoutId}. They were compared all the same.`
  return {
    pipeline,
    before: before.config.file,
    after: after.config.file,
    comparison: sums.result(),
    notes: withoutId === 0 ? notes : [...notes, noId],
  }
}
