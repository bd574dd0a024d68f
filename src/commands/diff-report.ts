import { type Comparison, type Destination, type Diff, isSame, type Move, moved } from '../dry-run/compare.js'
import { type Column, cut, printable, type Style, table } from '../lib/terminal/text.js'

const LONGEST_NAME = 60

/** For people, ending with a line end. */
export function report({ pipeline, before, after, comparison, notes }: Diff, style: Style): string {
  const { events, changes, refusedBefore, refusedAfter } = comparison
  const moves = moved(comparison)
  const lines = [
    `${pipeline}: ${events} ${events === 1 ? 'event' : 'events'} under ${before} (rows) and ${after} (columns)`,
    ...(events === 0 ? [] : ['', matrix(comparison)]),
    ...moves.flatMap((move) => ['', ...formatMove(move, style)]),
    ...changes.flatMap(({ at, aspects, count, examples }) => [
      '',
      `${style('bold', String(count))} still to ${formatDestination(at)}, with a different ${aspects.join(', ')}`,
      ...formatExamples(examples, count),
    ]),
    '',
    ...notes.map((note) => `Note: ${printable(note)}`),
    isSame(comparison)
      ? style('green', 'No difference.')
      : style(
          'bold',
          `${sum(moves)} of ${events} move. Refused: ${refusedBefore} before, ${refusedAfter} after.`,
        ),
    ...newlyMatched(moves),
  ]
  return `${lines.join('\n')}\n`
}

/** Destinations by number: with names, the columns would be wider than any terminal. */
function matrix({ moves }: Comparison): string {
  const destinations = new Map<string, Destination>()
  for (const { before, after } of moves)
    for (const each of [before, after]) destinations.set(formatDestination(each), each)
  const names = [...destinations.keys()].sort()
  const rows = names.filter((name) => moves.some(({ before }) => formatDestination(before) === name))
  const columns = names.filter((name) => moves.some(({ after }) => formatDestination(after) === name))
  const number = (name: string): string => String(names.indexOf(name) + 1)
  const cells = rows.map((row) =>
    columns.map((column) => {
      const count = sum(
        moves.filter(
          ({ before, after }) => formatDestination(before) === row && formatDestination(after) === column,
        ),
      )
      return count === 0 ? '.' : String(count)
    }),
  )
  const titles: Column[] = [
    { title: '', align: 'right' },
    { title: '', align: 'left' },
    ...columns.map((name): Column => ({ title: number(name), align: 'right' })),
  ]
  const only = names.filter((name) => !rows.includes(name))
  return table(titles, [
    ...rows.map((name, index) => [number(name), name, ...(cells[index] ?? [])]),
    ...only.map((name) => [number(name), name, ...columns.map(() => '.')]),
  ])
}

const formatMove = ({ before, after, count, examples }: Move, style: Style): string[] => [
  `${style('bold', String(count))} from ${formatDestination(before)}`,
  `  to ${style(after.refused && !before.refused ? 'red' : 'bold', formatDestination(after))}`,
  ...formatExamples(examples, count),
]

function formatExamples(examples: readonly string[], count: number): string[] {
  if (examples.length === 0) return []
  const names = examples.map((name) => cut(printable(name), LONGEST_NAME)).join(', ')
  return [`  ${names}${count > examples.length ? ', ...' : ''}`]
}

/** `eu-west: cxone.data.actions.eu 1`, or `refused HG_SCHEMA_VIOLATION` if no rule was reached. */
const formatDestination = ({ rule, to }: Destination): string =>
  rule === undefined ? to : `${printable(rule)}: ${to}`

/** Rules that match events that no rule matched before. */
function newlyMatched(moves: readonly Move[]): string[] {
  const byRule = new Map<string, number>()
  for (const { before, after, count } of moves) {
    if (before.rule !== 'otherwise' || after.rule === undefined || after.rule === 'otherwise') continue
    byRule.set(after.rule, (byRule.get(after.rule) ?? 0) + count)
  }
  const counts = [...byRule].map(([rule, count]) => `${count} by ${printable(rule)}`)
  return counts.length === 0 ? [] : [`Newly matched by a rule: ${counts.join(', ')}.`]
}

const sum = (moves: readonly Move[]): number => moves.reduce((total, { count }) => total + count, 0)
