/** `npm run bench`: Headgate against the floor, in turns, on one Kafka; and other measurements. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { BODY_BYTES, fullLoads, saturation } from './load/loads.js'
import { measureBacklog, OWN_LIMIT } from './measure/backlog.js'
import { type Comparison, compare, USUAL_PLAN } from './measure/compare.js'
import { measureConsole } from './measure/console.js'
import { INBOX_PARTITIONS, measureInbox } from './measure/inbox.js'
import { measureSizes } from './measure/sizes.js'
import { soak } from './measure/soak.js'
import { measureSources } from './measure/sources.js'
import { type Options, readOptions } from './options.js'
import { type Environment, startEnvironment } from './programs/environment.js'
import { generateConfig, pathOf, payloadFor } from './programs/generated-config.js'
import { ownConfig } from './programs/own-config.js'
import { buildRevision, floor, headgate, type Revision } from './programs/programs.js'
import {
  backlogGrid,
  backlogSentence,
  consoleCostGrid,
  consoleSentence,
  framesGrid,
  inboxGrid,
  inboxSentences,
  printed,
  ratioGrid,
  restGrid,
  sizeGrid,
  soakGrid,
  summaryGrid,
  workersGrid,
} from './report/grids.js'
import { type Figures, writeFigures, writePage } from './report/performance-page.js'
import { comparisonPlots, inboxPlots, type Plots, sizePlots, soakPlots, sourcePlots } from './report/plots.js'

const IDLE_SECONDS = 10

async function bench(options: Options): Promise<void> {
  const { mode, out, docs } = options
  const name = options.inbox ? 'inbox-soak' : mode
  const environment = await startEnvironment()
  let found: { readonly figures: Figures; readonly plots: Plots }
  try {
    found = await RUNS[mode](options, environment)
  } finally {
    await environment.stop()
  }
  if (out !== undefined) writeFigures(out, name, found.figures, found.plots)
  if (out !== undefined && docs) writePage(out)
}

async function runComparison(options: Options, environment: Environment) {
  const { mode, rounds, seconds, inFlight, jsonata, ledger, against, workers, rules, profile } = options
  const many = rules === 0 ? undefined : await manyRules(rules, environment)
  const file = many?.config ?? (jsonata ? 'plugins.config.json' : 'bench/plugins.config.json')
  const revision: Revision | undefined = against === undefined ? undefined : buildRevision(against, file)
  const made: ReturnType<typeof ownConfig>[] = []
  const own = (of: string): string => {
    const config = ownConfig(of)
    made.push(config)
    return config.config
  }
  try {
    const ours = { profile }
    const withWorkers = workers === 0 ? [] : [...new Set([1, workers])]
    const programs = [
      ...(many === undefined ? [floor(profile)] : []),
      headgate({ ...ours, name: 'headgate', config: own(file) }),
      ...withWorkers.map((count) =>
        headgate({ ...ours, name: nameOf(count), config: own(file), workers: count }),
      ),
      ...(ledger
        ? [headgate({ ...ours, name: 'headgate without ledger', config: own(file), withoutLedger: true })]
        : []),
      ...(revision === undefined
        ? []
        : [headgate({ ...revision.variant, config: own(revision.variant.config), profile })]),
    ]
    const named = withWorkers.map(nameOf)
    const others = programs
      .map(({ name }) => name)
      .filter((name) => !['floor', 'headgate', ...named].includes(name))
    const bases = [
      ...(many === undefined ? programs.slice(1).map(({ name }) => [name, 'floor'] as const) : []),
      ...named.map((name) => [name, 'headgate'] as const),
      ...(workers > 1 ? [[nameOf(workers), nameOf(1)] as const] : []),
      ...others.map((name) => ['headgate', name] as const),
    ]
    const full = mode === 'full'
    const figures = await compare(
      programs,
      bases,
      {
        ...USUAL_PLAN,
        loads: full ? fullLoads(seconds, inFlight) : [saturation(seconds, inFlight)],
        idleSeconds: full ? IDLE_SECONDS : 0,
        ...many?.plan,
      },
      { rounds, seconds, inFlight },
      environment,
    )
    showComparison(figures)
    if (workers > 0) console.log(`${printed(workersGrid(figures.summaries))}\n`)
    return { figures, plots: comparisonPlots(figures) }
  } finally {
    for (const { remove } of made) remove()
    revision?.remove()
    many?.remove()
  }
}

const nameOf = (workers: number): string => `headgate, ${workers} ${workers === 1 ? 'worker' : 'workers'}`

/** A config that takes its time, and events of which only its last rule is for. */
async function manyRules(rules: number, environment: Environment) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-rules-'))
  const config = join(folder, 'plugins.config.json')
  const schema = resolve('schemas/cxone-data-action.schema.json')
  const topic = await environment.emptyTopic()
  writeFileSync(
    config,
    JSON.stringify(generateConfig({ pipelines: 1, rules, kind: 'other JSONata', schema, topic })),
  )
  return {
    config,
    plan: { paths: [pathOf(1)], payloads: [payloadFor(rules)] },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

function showComparison({ machine, rounds, seconds, inFlight, ...found }: Comparison): void {
  console.log(`${BODY_BYTES} B an event, ${inFlight} in flight at saturation, ${machine.kafka}`)
  console.log(`medians of ${rounds} rounds of ${seconds} s (lowest-highest)\n`)
  console.log(`${printed(summaryGrid(found.summaries))}\n`)
  console.log(`${printed(ratioGrid(found.ratios))}\n`)
  if (found.rests.length > 0) console.log(`${printed(restGrid(found.rests))}\n`)
  showDoubts(found.doubts)
  if (found.refused) process.exitCode = 1
}

async function runSizes(options: Options, environment: Environment) {
  const figures = await measureSizes(options, environment)
  for (const axis of ['payload', 'rules', 'pipelines'] as const)
    console.log(`\n${printed(sizeGrid(figures, axis))}`)
  showDoubts(figures.doubts)
  return { figures, plots: sizePlots(figures) }
}

async function runSoak({ events, inFlight, inbox }: Options, environment: Environment) {
  const changes = inbox ? { inbox: await environment.emptyTopic(INBOX_PARTITIONS) } : {}
  const { config, remove } = ownConfig('bench/plugins.config.json', changes)
  const program = headgate({ name: 'headgate', config })
  const figures = await soak(program, { events, inFlight }, environment).finally(remove)
  console.log(
    `${figures.events} events, ${inFlight} in flight, ${(figures.seconds / 60).toFixed(1)} minutes\n`,
  )
  console.log(printed(soakGrid(figures)))
  if (Object.keys(figures.refused).length > 0)
    showDoubts([`events were refused, by status: ${JSON.stringify(figures.refused)}`])
  if ([figures.rss, figures.own, figures.heap].some(({ verdict }) => verdict === 'growing'))
    process.exitCode = 1
  return { figures, plots: soakPlots(inbox ? 'inbox-memory.svg' : 'memory.svg', figures) }
}

async function runBacklog(options: Options, environment: Environment) {
  const figures = await measureBacklog(options, environment)
  console.log(`${backlogSentence(figures)}\n`)
  console.log(printed(backlogGrid(figures)))
  const { ready, phases, readyAfterKill } = figures
  const peak = Math.max(ready.own, ...phases.map(({ peakOwn }) => peakOwn), readyAfterKill.own)
  if (peak > OWN_LIMIT) {
    showDoubts([`its own memory was ${peak.toFixed(0)} MiB, and may be ${OWN_LIMIT.toFixed(0)} MiB`])
    process.exitCode = 1
  }
  return { figures, plots: {} }
}

async function runInbox(options: Options, environment: Environment) {
  const figures = await measureInbox(options, environment)
  showComparison(figures)
  console.log(`${printed(inboxGrid(figures.summaries))}\n`)
  console.log(inboxSentences(figures))
  return { figures, plots: inboxPlots(figures) }
}

async function runSources(options: Options, environment: Environment) {
  const figures = await measureSources(options, environment)
  showComparison(figures)
  return { figures, plots: sourcePlots(figures) }
}

async function runConsole(options: Options, environment: Environment) {
  const figures = await measureConsole(options, environment)
  console.log(`${consoleSentence(figures)}\n`)
  console.log(`${printed(framesGrid(figures))}\n`)
  console.log(printed(consoleCostGrid(figures)))
  return { figures, plots: {} }
}

const RUNS = {
  quick: runComparison,
  full: runComparison,
  sizes: runSizes,
  soak: runSoak,
  pending: runBacklog,
  inbox: runInbox,
  sources: runSources,
  console: runConsole,
}

function showDoubts(doubts: readonly string[]): void {
  if (doubts.length === 0) return
  console.log(`to be taken with care:\n${doubts.map((doubt) => `- ${doubt}`).join('\n')}`)
}

try {
  await bench(readOptions(process.argv.slice(2)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
