import { readFileSync } from 'node:fs'
import type { Query } from './panel.js'

/** The colours of the console for dark pages, as dashboards mostly are. */
export const PALETTE: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...readFileSync('console/src/style/palette.css', 'utf8').matchAll(
      /--([\w-]+): light-dark\((?:#\w+), (#\w+)\)/g,
    ),
  ].map(([, name, dark]) => [name, dark]),
)

interface Group {
  /** Of the legends whose series may have these names. */
  readonly legend: RegExp
  /** The colour of each name, which may be the end of a longer one. */
  readonly colours: readonly (readonly [colour: string, name: string])[]
}

const GROUPS: readonly Group[] = [
  {
    legend: /\{\{outcome\}\}/,
    colours: [
      ['accepted', 'accepted'],
      ['delivered', 'delivered|passed|acknowledged'],
      ['duplicate', 'duplicate|retry'],
      ['dropped', 'dropped'],
      ['dead-lettered', 'dead-lettered'],
      ['rejected', 'rejected'],
      ['limited', 'limited'],
      ['unavailable', 'unavailable|gave-up'],
      ['handshake', 'handshake'],
    ],
  },
  {
    legend: /^\{\{code\}\}$/,
    colours: [
      ['delivered', '2..'],
      ['duplicate', '3..'],
      ['rejected', '4..'],
      ['unavailable', '5..'],
    ],
  },
  {
    legend: /\{\{result\}\}/,
    colours: [
      ['delivered', 'success|committed'],
      ['dropped', 'unchanged|fenced'],
      ['rejected', 'refused'],
      ['unavailable', 'failure|unavailable'],
    ],
  },
  {
    legend: /^p\d+$/,
    colours: [
      ['accent', 'p99'],
      ['muted', 'p50'],
    ],
  },
]

/** The colours of series by their names: the same outcome has the same colour in every panel, as in the console. */
export const fixedColours = (queries: readonly Query[]): object[] =>
  GROUPS.filter((group) => queries.some((query) => group.legend.test(query.legend))).flatMap(({ colours }) =>
    colours.map(([colour, name]) => ({
      matcher: { id: 'byRegexp', options: `/(^| )(${name})$/` },
      properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: PALETTE[colour] } }],
    })),
  )
