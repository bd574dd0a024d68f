import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BacklogFigures } from '../measure/backlog.js'
import type { Comparison } from '../measure/compare.js'
import type { ConsoleFigures } from '../measure/console.js'
import type { Machine } from '../measure/figures.js'
import type { InboxFigures } from '../measure/inbox.js'
import type { Axis, SizeFigures } from '../measure/sizes.js'
import type { SoakFigures } from '../measure/soak.js'
import {
  backlogGrid,
  backlogSentence,
  consoleCostGrid,
  consoleSentence,
  framesGrid,
  inboxGrid,
  inboxSentences,
  markdown,
  ratioGrid,
  restGrid,
  sizeGrid,
  soakGrid,
  summaryGrid,
} from './grids.js'
import type { Plots } from './plots.js'

/** The figures of earlier runs in a folder; undefined if there was no run. */
interface AllFigures {
  readonly full: Comparison | undefined
  readonly sizes: SizeFigures | undefined
  readonly soak: SoakFigures | undefined
  readonly inboxSoak: SoakFigures | undefined
  readonly pending: BacklogFigures | undefined
  readonly inbox: InboxFigures | undefined
  readonly sources: Comparison | undefined
  readonly console: ConsoleFigures | undefined
}

const BLOCK = /(<!-- figures: ([a-z-]+) -->\n)[\s\S]*?(<!-- end of figures -->)/g

/** The page with the figures between its markers. Throws if the figures of a marker are missing. */
export function withFigures(page: string, all: AllFigures): string {
  return page.replaceAll(BLOCK, (_, start: string, name: string, end: string) => {
    const section = SECTIONS[name]
    if (section === undefined) throw new Error(`There are no figures called "${name}".`)
    return `${start}${section(all) ?? 'Not measured yet.'}\n${end}`
  })
}

type Section = (all: AllFigures) => string | undefined

const ofFull =
  (section: (full: Comparison) => string): Section =>
  ({ full }) =>
    full && section(full)
const ofSizes =
  (section: (sizes: SizeFigures) => string): Section =>
  ({ sizes }) =>
    sizes && section(sizes)

const SECTIONS: { readonly [name: string]: Section } = {
  machine: ofFull(
    ({ machine, rounds, seconds, inFlight, bodyBytes }) =>
      `${where(machine)}; bodies of ${bodyBytes} B, ${inFlight} in flight at saturation; medians of ${rounds} rounds of ${seconds} s (lowest-highest).`,
  ),
  loads: ofFull(({ summaries, doubts }) =>
    [
      markdown(summaryGrid(summaries)),
      ...noted(doubts),
      '',
      image('CPU time an event', 'cpu.svg'),
      image('Request to response, half of the events', 'p50.svg'),
      image('Request to response, 99 % of the events', 'p99.svg'),
    ].join('\n'),
  ),
  ratios: ofFull(({ ratios }) => markdown(ratioGrid(ratios))),
  rest: ofFull(({ rests }) => markdown(restGrid(rests))),
  payload: ofSizes((sizes) => sizeSection(sizes, 'payload')),
  rules: ofSizes((sizes) => sizeSection(sizes, 'rules')),
  pipelines: ofSizes((sizes) => sizeSection(sizes, 'pipelines')),
  soak: ({ soak }) => soak && soakSection(soak, 'memory.svg'),
  'inbox-soak': ({ inboxSoak }) => inboxSoak && soakSection(inboxSoak, 'inbox-memory.svg'),
  inbox: ({ inbox }) => inbox && inboxSection(inbox),
  sources: ({ sources }) => sources && sourceSection(sources),
  pending: ({ pending }) =>
    pending &&
    [`${backlogSentence(pending)} ${where(pending.machine)}.`, '', markdown(backlogGrid(pending))].join('\n'),
  console: (all) => all.console && consoleSection(all.console),
}

/** Relative to the page; the plots are in the folder of the figures. */
const image = (title: string, file: string): string => `![${title}](performance/${file})`

const where = ({ cpu, cores, node, kafka, revision }: Machine): string =>
  `${cpu}, ${cores} cores, Node ${node}, ${kafka}, all on one machine; revision ${revision}`

const noted = (doubts: readonly string[]): string[] =>
  doubts.length === 0 ? [] : ['', 'To be taken with care:', '', ...doubts.map((doubt) => `- ${doubt}`)]

const sizeSection = (sizes: SizeFigures, axis: Axis): string =>
  [
    markdown(sizeGrid(sizes, axis)),
    '',
    `${where(sizes.machine)}.`,
    '',
    image(`Cost against ${axis}`, `${axis}.svg`),
  ].join('\n')

function soakSection(soak: SoakFigures, plot: string): string {
  const { machine, events, inFlight, seconds } = soak
  return [
    `${events.toLocaleString('en')} events in ${(seconds / 60).toFixed(0)} minutes, ${inFlight} in flight; ${where(machine)}.`,
    '',
    markdown(soakGrid(soak)),
    '',
    image('Memory over many events', plot),
  ].join('\n')
}

function inboxSection(inbox: InboxFigures): string {
  const { machine, rounds, seconds, inFlight, bodyBytes, summaries, ratios, doubts } = inbox
  return [
    `${where(machine)}; bodies of ${bodyBytes} B, ${inFlight} in flight to each instance at saturation; medians of ${rounds} rounds of ${seconds} s (lowest-highest).`,
    '',
    markdown(inboxGrid(summaries)),
    '',
    markdown(ratioGrid(ratios)),
    ...noted(doubts),
    '',
    inboxSentences(inbox),
    '',
    image('CPU time an event, with and without an inbox', 'inbox.svg'),
    image('CPU time an event of the busiest process', 'inbox-busiest.svg'),
  ].join('\n')
}

function sourceSection(sources: Comparison): string {
  const { machine, rounds, seconds, inFlight, bodyBytes, summaries, ratios, doubts } = sources
  return [
    `${where(machine)}; ${bodyBytes} B an event, ${inFlight} events in flight at saturation; medians of ${rounds} rounds of ${seconds} s (lowest-highest).`,
    '',
    markdown(summaryGrid(summaries)),
    '',
    markdown(ratioGrid(ratios)),
    ...noted(doubts),
    '',
    image('CPU time an event, by the requests of the sender', 'sources.svg'),
  ].join('\n')
}

const consoleSection = (figures: ConsoleFigures): string =>
  [
    `${consoleSentence(figures)} ${where(figures.machine)}; each view for ${figures.seconds} s, the cost in ${figures.rounds} rounds.`,
    '',
    markdown(framesGrid(figures)),
    '',
    markdown(consoleCostGrid(figures)),
  ].join('\n')

/** The results of a run. */
export type Figures = Comparison | SizeFigures | SoakFigures | BacklogFigures | InboxFigures | ConsoleFigures

/** Writes the results of a run into a folder, for people and for programs. */
export function writeFigures(folder: string, name: string, figures: Figures, plots: Plots): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(figures, undefined, 2)}\n`)
  for (const [file, svg] of Object.entries(plots)) writeFileSync(join(folder, file), svg)
  console.log(`\nwritten to ${folder}/`)
}

export const readFigures = (folder: string): AllFigures => ({
  full: read<Comparison>(join(folder, 'full.json')),
  sizes: read<SizeFigures>(join(folder, 'sizes.json')),
  soak: read<SoakFigures>(join(folder, 'soak.json')),
  inboxSoak: read<SoakFigures>(join(folder, 'inbox-soak.json')),
  pending: read<BacklogFigures>(join(folder, 'pending.json')),
  inbox: read<InboxFigures>(join(folder, 'inbox.json')),
  sources: read<Comparison>(join(folder, 'sources.json')),
  console: read<ConsoleFigures>(join(folder, 'console.json')),
})

export const PAGE = 'docs/performance.md'

/** Puts the figures of a folder into the page. */
export const writePage = (folder: string): void =>
  writeFileSync(PAGE, withFigures(readFileSync(PAGE, 'utf8'), readFigures(folder)))

const read = <Found extends Figures>(file: string): Found | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Found) : undefined
