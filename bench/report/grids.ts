import { type Column, table } from '../../src/lib/terminal/text.js'
import type { BacklogFigures, BacklogPhase, Ready } from '../measure/backlog.js'
import type { ConsoleFigures } from '../measure/console.js'
import type { Figure, Ratio, RestSummary, Summary } from '../measure/figures.js'
import { EACH, type InboxFigures } from '../measure/inbox.js'
import type { Axis, SizeFigures } from '../measure/sizes.js'
import type { SoakFigures } from '../measure/soak.js'
import { formatSpread } from '../measure/statistics.js'
import { formatSize } from './plots.js'

/** Cells of a table, printed or in a page. */
export interface Grid {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
}

const left = (title: string): Column => ({ title, align: 'left' })
const right = (title: string): Column => ({ title, align: 'right' })

const COLUMNS: readonly { readonly title: string; readonly figure: Figure; readonly digits: number }[] = [
  { title: 'CPU us/event', figure: 'cpuPerEvent', digits: 0 },
  { title: 'events/s', figure: 'eventsPerSecond', digits: 0 },
  { title: 'p50 ms', figure: 'p50', digits: 1 },
  { title: 'p99 ms', figure: 'p99', digits: 1 },
  { title: 'p99.9 ms', figure: 'p999', digits: 1 },
  { title: 'peak RSS MiB', figure: 'peakRss', digits: 0 },
  { title: 'own MiB', figure: 'peakOwn', digits: 0 },
]

export const summaryGrid = (summaries: readonly Summary[]): Grid => ({
  columns: [
    left('load'),
    left('program'),
    ...COLUMNS.map(({ title }) => right(title)),
    right('peak backlog'),
    right('backlog grows by'),
    right('generator cores'),
  ],
  rows: summaries.map(({ load, program, figures, backlog }) => [
    load,
    program,
    ...COLUMNS.map(({ figure, digits }) => formatSpread(figures[figure], digits)),
    backlog.peak.toFixed(0),
    growth(backlog.slope, figures.eventsPerSecond.median),
    figures.generatorLoad.median.toFixed(2),
  ]),
})

/** Events a second, if that is more than chance and more than a thousandth of the rate of events. */
function growth({ median, min }: Summary['backlog']['slope'], perSecond: number): string {
  return min > 0 && median > perSecond / 1000 ? `${median.toFixed(0)}/s` : 'no'
}

export const ratioGrid = (ratios: readonly Ratio[]): Grid => ({
  columns: [left('load'), left('ratio'), ...COLUMNS.map(({ title }) => right(title.replace(/ .*/, '')))],
  rows: ratios.map(({ load, program, base, figures }) => [
    load,
    `${program} / ${base}`,
    ...COLUMNS.map(({ figure }) => formatSpread(figures[figure], 2)),
  ]),
})

/** Where the CPU time of an event goes, and with it how far workers can carry: each process has one core for its part. */
export const workersGrid = (summaries: readonly Summary[]): Grid => ({
  columns: [
    left('load'),
    left('program'),
    right('CPU us/event'),
    right('of the primary process'),
    right('of workers'),
    right('of the busiest process'),
    right('events/s at a core for each'),
  ],
  rows: summaries.map(({ load, program, figures }) => {
    const { cpuPerEvent, primaryCpuPerEvent, busiestCpuPerEvent } = figures
    return [
      load,
      program,
      formatSpread(cpuPerEvent, 0),
      formatSpread(primaryCpuPerEvent, 0),
      (cpuPerEvent.median - primaryCpuPerEvent.median).toFixed(0),
      busiestCpuPerEvent.median.toFixed(0),
      (1_000_000 / busiestCpuPerEvent.median).toFixed(0),
    ]
  }),
})

/** With an inbox: how far instances carry, each with a core of its own, and how long an event waits in it. */
export const inboxGrid = (summaries: readonly Summary[]): Grid => ({
  columns: [
    left('load'),
    left('program'),
    right('CPU us/event'),
    right('of the busiest process'),
    right('accepted to delivered p50 ms'),
    right('p99 ms'),
  ],
  rows: summaries.map(({ load, program, figures, delivery }) => [
    load,
    program,
    formatSpread(figures.cpuPerEvent, 0),
    formatSpread(figures.busiestCpuPerEvent, 0),
    delivery === undefined ? '' : delivery.p50.toFixed(0),
    delivery === undefined ? '' : delivery.p99.toFixed(0),
  ]),
})

export const inboxSentences = ({ ratios, takeover: { events, seconds } }: InboxFigures): string => {
  const two = ratios.find(({ load, base }) => load === EACH && base.includes('inbox'))
  const carried = 1 / (two?.figures.busiestCpuPerEvent.median ?? Number.NaN)
  return `By the CPU time of the busiest process, at ${EACH}, two instances carry ${carried.toFixed(2)} times what one does. With ${events.toLocaleString('en')} events in the window, the other instance had taken over ${seconds.toFixed(1)} s after a kill -9.`
}

export const restGrid = (rests: readonly RestSummary[]): Grid => ({
  columns: [
    left('program'),
    right('first start to ready s'),
    right('restart to ready s'),
    right('idle, % of a core'),
    right('read-back records/s'),
  ],
  rows: rests.map(({ program, firstReadyAfter, readyAfter, idleCpu, readBack }) => [
    program,
    formatSpread(firstReadyAfter, 2),
    formatSpread(readyAfter, 2),
    formatSpread(idleCpu, 2),
    readBack === undefined ? '' : formatSpread(readBack, 0),
  ]),
})

/** One axis of the sizes. */
export const sizeGrid = ({ rows }: SizeFigures, axis: Axis): Grid => ({
  columns: [
    right(axis),
    left(axis === 'rules' ? 'kind' : 'program'),
    right('CPU us/event'),
    right('events/s'),
    right('p50 ms'),
    right('peak RSS MiB'),
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

export const soakGrid = ({ rss, own, heap, peakRss, peakOwn, peakBacklog }: SoakFigures): Grid => ({
  columns: [
    left('memory'),
    right('MiB a million events'),
    right('95 % confidence'),
    left('verdict'),
    right('peak MiB'),
    right('peak backlog'),
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

/** The sentence above the table of a backlog. */
export const backlogSentence = ({ pending, file, rate, seconds }: BacklogFigures): string =>
  `${pending.toLocaleString('en')} pending acknowledgements, in a file of ${file.toFixed(0)} MiB. Started after a stop in order, looked at for ${seconds} s in each of two ways, with ${rate} events a second coming in, and killed.`

const WHEN: { readonly [sender in BacklogPhase['sender']]: string } = {
  refuses: 'the sender refuses acknowledgements',
  takes: 'the sender takes them',
}

export const backlogGrid = ({ ready, readyAfterKill, phases }: BacklogFigures): Grid => ({
  columns: [
    left('when'),
    right('ready after s'),
    right('own MiB'),
    right('RSS MiB'),
    right('cores'),
    right('acknowledged/s'),
    right('events/s'),
    right('refused'),
    right('p50 ms'),
    right('p99 ms'),
  ],
  rows: [
    ['started after a stop in order', ...readyCells(ready)],
    ...phases.map((phase) => [
      WHEN[phase.sender],
      '',
      phase.peakOwn.toFixed(0),
      phase.peakRss.toFixed(0),
      phase.cores.toFixed(2),
      phase.acknowledgedPerSecond.toFixed(0),
      phase.deliveredPerSecond.toFixed(0),
      String(Object.values(phase.refused).reduce((sum, count) => sum + count, 0)),
      phase.p50.toFixed(1),
      phase.p99.toFixed(1),
    ]),
    ['started after kill -9', ...readyCells(readyAfterKill)],
  ],
})

const readyCells = ({ after, own, rss }: Ready): string[] => [
  after.toFixed(1),
  own.toFixed(0),
  rss.toFixed(0),
  ...Array(6).fill(''),
]

/** The sentence above the tables of the console. */
export const consoleSentence = ({ pipelines, rules, deadLetters, rate, delivered }: ConsoleFigures): string =>
  `${pipelines} pipelines, one of them with ${rules} rules and ${deadLetters.toLocaleString('en')} dead letters; ${rate.toLocaleString('en')} events a second due, ${Math.round(delivered).toLocaleString('en')} delivered while the views were watched.`

/** The frames of each view while it is scrolled. */
export const framesGrid = ({ views }: ConsoleFigures): Grid => ({
  columns: [
    left('view'),
    right('frames/s'),
    right('p50 ms'),
    right('p99 ms'),
    right('longest ms'),
    right('% of the time in frames over 50 ms'),
    right('tasks over 50 ms'),
    right('main thread busy %'),
  ],
  rows: views.map(({ view, frames }) => [
    view,
    frames.perSecond.toFixed(0),
    frames.p50.toFixed(1),
    frames.p99.toFixed(1),
    frames.longest.toFixed(0),
    (frames.late * 100).toFixed(1),
    String(frames.longTasks),
    (frames.busy * 100).toFixed(0),
  ]),
})

/** CPU of the process that open consoles look at. */
export const consoleCostGrid = ({ costs }: ConsoleFigures): Grid => ({
  columns: [
    left('load'),
    right('open consoles'),
    right('% of a core without'),
    right('% of a core more with them'),
  ],
  rows: costs.map(({ load, consoles, without, added }) => [
    load,
    String(consoles),
    formatSpread(without, 1),
    formatSpread(added, 1),
  ]),
})

export const printed = ({ columns, rows }: Grid): string => table(columns, rows)

export function markdown({ columns, rows }: Grid): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ align }) => (align === 'right' ? '--:' : '---'))),
    ...rows.map(line),
  ].join('\n')
}
