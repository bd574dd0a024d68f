import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Comparison } from './compare.js'
import type { Machine } from './figures.js'
import type { BacklogFigures } from './owed.js'
import { formatSize, type Plots } from './plots.js'
import {
  backlogGrid,
  backlogSentence,
  type Grid,
  markdown,
  ratioGrid,
  restGrid,
  summaryGrid,
} from './report.js'
import type { Axis, SizeFigures } from './sizes.js'
import type { SoakFigures } from './soak.js'
import { formatSpread } from './statistics.js'

/** The figures of earlier runs in a folder; undefined if there was no run. */
interface AllFigures {
  readonly full: Comparison | undefined
  readonly sizes: SizeFigures | undefined
  readonly soak: SoakFigures | undefined
  readonly owed: BacklogFigures | undefined
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
      image('Request to answer, half of the events', 'p50.svg'),
      image('Request to answer, 99 % of the events', 'p99.svg'),
    ].join('\n'),
  ),
  ratios: ofFull(({ ratios }) => markdown(ratioGrid(ratios))),
  rest: ofFull(({ rests }) => markdown(restGrid(rests))),
  payload: ofSizes((sizes) => sizeSection(sizes, 'payload')),
  rules: ofSizes((sizes) => sizeSection(sizes, 'rules')),
  pipelines: ofSizes((sizes) => sizeSection(sizes, 'pipelines')),
  soak: ({ soak }) => soak && soakSection(soak),
  owed: ({ owed }) =>
    owed && [`${backlogSentence(owed)} ${where(owed.machine)}.`, '', markdown(backlogGrid(owed))].join('\n'),
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

/** One axis of the sizes. */
export const sizeGrid = ({ rows }: SizeFigures, axis: Axis): Grid => ({
  columns: [
    { title: axis, align: 'right' },
    { title: axis === 'rules' ? 'kind' : 'program', align: 'left' },
    { title: 'CPU us/event', align: 'right' },
    { title: 'events/s', align: 'right' },
    { title: 'p50 ms', align: 'right' },
    { title: 'peak RSS MiB', align: 'right' },
  ],
  rows: rows
    .filter((row) => row.axis === axis)
    .map(({ size, series, cpuPerEvent, eventsPerSecond, p50, peakRss }) => [
      axis === 'payload' ? `${formatSize(size)}B`.replace(/(?<=\d)B/, ' B') : String(size),
      series,
      formatSpread(cpuPerEvent, 0),
      formatSpread(eventsPerSecond, 0),
      formatSpread(p50, 1),
      formatSpread(peakRss, 0),
    ]),
})

function soakSection(soak: SoakFigures): string {
  const { machine, events, inFlight, seconds } = soak
  return [
    `${events.toLocaleString('en')} events in ${(seconds / 60).toFixed(0)} minutes, ${inFlight} in flight; ${where(machine)}.`,
    '',
    markdown(soakGrid(soak)),
    '',
    image('Memory over many events', 'memory.svg'),
  ].join('\n')
}

export const soakGrid = ({ rss, own, heap, peakRss, peakOwn, peakBacklog }: SoakFigures): Grid => ({
  columns: [
    { title: 'memory', align: 'left' },
    { title: 'MiB a million events', align: 'right' },
    { title: '95 % confidence', align: 'right' },
    { title: 'verdict', align: 'left' },
    { title: 'peak MiB', align: 'right' },
    { title: 'peak backlog', align: 'right' },
  ],
  rows: [
    { name: 'resident', growth: rss, peak: peakRss.toFixed(0), backlog: peakBacklog.toFixed(0) },
    { name: 'own', growth: own, peak: peakOwn.toFixed(0), backlog: '' },
    { name: 'heap in use', growth: heap, peak: '', backlog: '' },
  ].map(({ name, growth: { slope, low, high, verdict }, peak, backlog }) => [
    name,
    slope.toFixed(2),
    `${low.toFixed(2)} to ${high.toFixed(2)}`,
    verdict,
    peak,
    backlog,
  ]),
})

/** The results of a run. */
export type Figures = Comparison | SizeFigures | SoakFigures | BacklogFigures

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
  owed: read<BacklogFigures>(join(folder, 'owed.json')),
})

export const PAGE = 'docs/performance.md'

/** Puts the figures of a folder into the page. */
export const writePage = (folder: string): void =>
  writeFileSync(PAGE, withFigures(readFileSync(PAGE, 'utf8'), readFigures(folder)))

const read = <Found extends Figures>(file: string): Found | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Found) : undefined
