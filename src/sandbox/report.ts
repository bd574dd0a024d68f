import { type Column, type Style, table } from '../lib/terminal/text.js'
import type { DemoResult } from './demo.js'
import type { OutcomeCount } from './reconcile.js'

const COLUMNS: readonly Column[] = [
  { title: '', align: 'left' },
  { title: 'expected', align: 'left' },
  { title: 'sent', align: 'right' },
  { title: 'answered', align: 'right' },
  { title: 'in Kafka', align: 'right' },
  { title: 'acknowledged', align: 'right' },
]

const DIFFERENCES_SHOWN = 20

/** The result of the demo as text: the table, the incidents, the addresses, and the verdict. */
export function report(result: DemoResult, addresses: string, style: Style): string {
  const { differences } = result
  const hidden = differences.length - DIFFERENCES_SHOWN
  const verdict =
    differences.length === 0
      ? style('green', `Everything reconciles: ${result.events} requests in ${result.seconds.toFixed(1)} s.`)
      : [
          style(
            'red',
            `The counts do not reconcile: ${differences.length} ${differences.length === 1 ? 'difference' : 'differences'}.`,
          ),
          ...differences.slice(0, DIFFERENCES_SHOWN).map((difference) => `  ${difference}`),
          ...(hidden > 0 ? [`  ... and ${hidden} more`] : []),
        ].join('\n')
  return [styleTitles(counts(result), style), incidents(result), addresses, verdict].join('\n\n')
}

function counts({ routes, redelivered, refused, events, records }: DemoResult): string {
  const sum = (column: 'answered' | 'acknowledged') =>
    routes.reduce((total, count) => total + count[column], 0)
  const answered =
    sum('answered') + redelivered.duplicates + refused.reduce((total, count) => total + count.answered, 0)
  return table(
    COLUMNS,
    [
      ...routes.map(({ route, sent, answered, inKafka, acknowledged }) => [
        route.name,
        `${route.topic}, partition ${route.partition}`,
        ...[sent, answered, inKafka, acknowledged],
      ]),
      ['delivered again', 'duplicate, no second record', redelivered.sent, redelivered.duplicates],
      ...refused.map(({ refusal, sent, answered }) => [
        refusal.why,
        `${refusal.status} ${refusal.code}`,
        sent,
        answered,
      ]),
      ['all', '', events, answered, records, sum('acknowledged')],
    ].map((row) => row.map(String)),
  )
}

function styleTitles(text: string, style: Style): string {
  const [titles = '', ...rows] = text.split('\n')
  return [style('bold', titles), ...rows].join('\n')
}

function incidents({ cxone, outcomes }: DemoResult): string {
  const responses = (status: number) => cxone.responses.get(String(status)) ?? 0
  const count = ({ outcome, headgate, sender }: OutcomeCount) =>
    headgate === sender ? `${headgate} ${outcome}` : `${headgate} ${outcome} (the sender counted ${sender})`
  return [
    `Headgate counted ${outcomes.map(count).join(', ')}.`,
    `CXone issued ${cxone.tokensIssued} tokens, refused ${responses(401)} acknowledgements because their token was no longer valid (401), ` +
      `asked ${responses(429)} times to slow down (429), was unavailable ${responses(503)} times (503), ` +
      `and received ${responses(409)} acknowledgements more than once (409).`,
  ].join('\n')
}
