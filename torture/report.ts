import { type Column, table } from '../src/lib/terminal/text.js'
import { faultsAround, type LoggedFault } from './schedule.js'
import { BREACHES, type Breach, type Verdict, type Violation } from './verdict.js'

/** The facts of a run besides its verdict. Times in milliseconds since 1970. */
export interface Run {
  readonly seed: number
  readonly startedAt: number
  /** From the first event until everything was counted. */
  readonly seconds: number
  readonly faults: readonly LoggedFault[]
  /**
   * The results of requests to Headgate and of acknowledge requests to CXone: the status, or the reason why there was
   * none.
   */
  readonly requests: ReadonlyMap<string, number>
  readonly acknowledgements: { readonly [status: string]: number }
}

const COUNTS: { readonly [name in keyof Verdict['counts']]: readonly [string, string] } = {
  sent: ['sent', 'events, each with bytes of its own'],
  answered: ['answered 2xx', ''],
  refused: ['answered 4xx', 'as they have to be'],
  inKafka: ['in Kafka', 'events with a record in their topic'],
  inDeadLetters: ['in dead letters', ''],
  acknowledged: ['acknowledged', ''],
}
const COLUMNS: readonly Column[] = [
  { title: '', align: 'left' },
  { title: 'count', align: 'right' },
  { title: '', align: 'left' },
]
const EXAMPLES = 5
/** Faults within so many milliseconds before a violation, or after it, may be related to it. */
const BEFORE = 15_000
const AFTER = 2000

/** The table, the faults, and the verdict with the seed that repeats the run. */
export function report(run: Run, { counts, violations }: Verdict): string {
  const broken = new Map(Object.keys(BREACHES).map((name) => [name as Breach, 0]))
  for (const { breach } of violations) broken.set(breach, (broken.get(breach) ?? 0) + 1)
  const rows = [
    ...Object.entries(COUNTS).map(([name, [title, meaning]]) => [
      title,
      String(counts[name as keyof Verdict['counts']]),
      meaning,
    ]),
    ...[...broken].map(([breach, count]) => [breach, String(count), BREACHES[breach]]),
  ]
  const verdict =
    violations.length === 0
      ? `Every promise was kept: ${counts.sent} events, ${run.faults.length} faults, ${run.seconds.toFixed(0)} s. Seed ${run.seed}.`
      : [
          ...[...broken]
            .filter(([, count]) => count > 0)
            .map(([breach]) => examples(run, breach, violations)),
          `Promises were broken ${violations.length} times. --seed ${run.seed} repeats the faults and the events.`,
        ].join('\n\n')
  return [
    table(COLUMNS, rows),
    [
      `faults: ${sums(countKinds(run.faults))}`,
      `requests to Headgate: ${sums(run.requests)}`,
      `acknowledgements at CXone: ${sums(Object.entries(run.acknowledgements))}`,
    ].join('\n'),
    verdict,
  ].join('\n\n')
}

/** Every fault and every violation, in the order of time. */
export function chronicle({ startedAt, faults }: Run, violations: readonly Violation[]): string {
  const lines = [
    ...faults.map((fault) => ({ at: fault.at, text: describe(fault, startedAt) })),
    ...violations.map(({ at, breach, text }) => ({
      at,
      text: `${time(at, startedAt)}  ${breach}: ${text}`,
    })),
  ]
  return lines
    .toSorted((a, b) => a.at - b.at)
    .map(({ text }) => `${text}\n`)
    .join('')
}

function examples({ faults, startedAt }: Run, breach: Breach, violations: readonly Violation[]): string {
  const own = violations.filter((violation) => violation.breach === breach)
  const shown = own.slice(0, EXAMPLES).map(({ at, text }) => {
    const around = faultsAround(faults, at - BEFORE, at + AFTER).map((fault) => describe(fault, startedAt))
    return [`  ${time(at, startedAt)}  ${text}`, ...around.map((line) => `      around it: ${line}`)].join(
      '\n',
    )
  })
  const hidden = own.length - shown.length
  return [
    `${breach}: ${BREACHES[breach]}`,
    ...shown,
    ...(hidden > 0 ? [`  ... and ${hidden} more`] : []),
  ].join('\n')
}

const describe = ({ at, until, what }: LoggedFault, startedAt: number): string =>
  `${time(at, startedAt)} to ${until === undefined ? 'the end' : time(until, startedAt)}  ${what}`

const time = (at: number, startedAt: number): string => `+${((at - startedAt) / 1000).toFixed(3)} s`

function countKinds(faults: readonly LoggedFault[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { kind } of faults) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

const sums = (counts: Iterable<readonly [string, number]>): string =>
  [...counts].map(([name, count]) => `${name} ${count}`).join(', ') || 'none'
