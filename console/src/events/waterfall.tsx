import type { EventDetail } from '../../../src/tap/line.js'
import { duration } from '../format.js'
import { Table } from '../table.js'

/** The time of an event in each stage, on one scale. */
export function Waterfall({ times, ms }: Pick<EventDetail, 'times' | 'ms'>) {
  if (times.length === 0) return null
  const total = Math.max(ms, ...times.map((time) => time.from + time.ms), 0.01)
  return (
    <section class="part">
      <h4>Where the time went</h4>
      <Table class="waterfall" columns={['Stage', 'Begin and end', 'Took']}>
        {times.map(({ stage, from, ms: took }) => (
          <tr key={`${stage} ${from}`}>
            <th scope="row">{stage}</th>
            <td>
              <svg aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none">
                <rect x={(100 * from) / total} width={Math.max((100 * took) / total, 0.8)} height="8" />
              </svg>
            </td>
            <td class="number">{duration(took)}</td>
          </tr>
        ))}
        <tr class="total">
          <th scope="row">in all</th>
          <td />
          <td class="number">{duration(ms)}</td>
        </tr>
      </Table>
    </section>
  )
}
