import type { PipelineTraffic } from '../../../src/admin/api.js'
import { count } from '../format.js'
import { OutcomeLabel } from '../outcome.js'

/** From this share of the limit on, senders are about to get 503. */
const NEAR = 0.8

/** The events that are under way, and how many may be. */
export function InFlight({
  traffic: { inFlight, inFlightLimit: limit },
}: {
  readonly traffic: Pick<PipelineTraffic, 'inFlight' | 'inFlightLimit'>
}) {
  const text = `${count(inFlight)}${limit > 0 ? ` of ${count(limit)}` : ''} in flight`
  const explained =
    limit > 0
      ? 'Events received, and without an outcome yet. At the limit, "maxInFlight" of the source, senders get 503.'
      : 'Events received, and without an outcome yet.'
  return (
    <span class="in-flight" title={explained}>
      {limit > 0 && inFlight >= NEAR * limit ? <OutcomeLabel kind="unavailable">{text}</OutcomeLabel> : text}
    </span>
  )
}
