import type { PipelineTraffic } from '../../../src/admin/api.js'
import { count, duration, plural, rate } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { OUTCOMES, PROBLEMS } from '../outcomes.js'
import type { OutcomeKind } from './graph.js'
import { InFlight } from './in-flight.js'
import { type Line, Sparkline } from './sparkline.js'

interface TilesProps {
  readonly traffic: PipelineTraffic
  readonly step: number
}

const TAKEN = ['accepted', 'delivered', 'duplicate', 'dropped', 'dead-lettered'] as const

/** The state of a pipeline in four figures, each with its last 15 minutes. */
export function Tiles(props: TilesProps) {
  return (
    <ul class="tiles">
      <EventsTile {...props} />
      <ProblemsTile {...props} />
      <LatencyTile {...props} />
      <PendingTile {...props} />
    </ul>
  )
}

function EventsTile({ traffic: { outcomes, points }, step }: TilesProps) {
  const total = OUTCOMES.reduce((all, outcome) => all + outcomes[outcome].rate, 0)
  const taken = pointSums(points, TAKEN)
  // The points have the present moment only when it is over.
  const takenCount = TAKEN.reduce((all, outcome) => all + outcomes[outcome].count, 0)
  const others = (['duplicate', 'dropped', 'handshake'] as const).filter(
    (outcome) => outcomes[outcome].count > 0,
  )
  return (
    <li>
      <h3>Events</h3>
      <p class="figure">
        {rate(total)}
        <small>/s</small>
      </p>
      <Sparkline
        lines={[{ points: taken, colour: 'delivered', filled: true }]}
        step={step}
        label={`Accepted events of the last 15 minutes: ${plural(takenCount, 'event')}`}
        describe={(index) => `${rate((taken[index] ?? 0) / step)}/s`}
      />
      <p class="detail">
        {plural(takenCount, 'event')} accepted in 15 min
        <OutcomeCounts of={others} outcomes={outcomes} />
      </p>
    </li>
  )
}

function ProblemsTile({ traffic: { outcomes, points }, step }: TilesProps) {
  const problems = PROBLEMS.filter((outcome) => outcomes[outcome].count > 0)
  const counts = problems.map((outcome) => `${count(outcomes[outcome].count)} ${outcome}`)
  return (
    <li>
      <h3>Refused or dead-lettered</h3>
      <p class="figure">
        {count(problems.reduce((all, outcome) => all + outcomes[outcome].count, 0))}
        <small> in 15 min</small>
      </p>
      <Sparkline
        lines={PROBLEMS.map((outcome): Line => ({ points: points.outcomes[outcome], colour: outcome }))}
        step={step}
        label={`Events of the last 15 minutes that were refused or dead-lettered: ${counts.join(', ') || 'none'}`}
        describe={(index) =>
          PROBLEMS.filter((outcome) => points.outcomes[outcome][index])
            .map((outcome) => `${points.outcomes[outcome][index]} ${outcome}`)
            .join(', ') || 'none'
        }
      />
      <p class="detail">
        {problems.length === 0 ? 'None in 15 min' : <OutcomeCounts of={problems} outcomes={outcomes} />}
      </p>
    </li>
  )
}

function LatencyTile({ traffic, step }: TilesProps) {
  const { latency, points } = traffic
  return (
    <li>
      <h3>Time to Kafka</h3>
      <p class="figure">
        {latency === null ? '–' : duration(latency.p99)}
        <small> p99</small>
      </p>
      <Sparkline
        lines={[
          { points: points.p99, colour: 'accent' },
          { points: points.p50, colour: 'muted' },
        ]}
        step={step}
        label="Time from receiving an event to its commit in Kafka, in the last 15 minutes"
        describe={(index) => {
          const [p50, p99] = [points.p50[index], points.p99[index]]
          return p50 && p99 ? `p50 ${duration(p50)}, p99 ${duration(p99)}` : 'no events'
        }}
      />
      <p class="detail">
        {latency === null
          ? 'No event in the last minute'
          : `Half of the events within ${duration(latency.p50)}`}
        {traffic.inFlight + traffic.inFlightLimit > 0 && <InFlight traffic={traffic} />}
      </p>
    </li>
  )
}

function PendingTile({ traffic: { acknowledgements, points }, step }: TilesProps) {
  const { pending, pendingLimit, oldestSeconds, failed } = acknowledgements
  return (
    <li>
      <h3>Pending acknowledgements</h3>
      <p class="figure">
        {count(pending)}
        {pendingLimit > 0 && <small> of {count(pendingLimit)}</small>}
      </p>
      <Sparkline
        lines={[{ points: points.pending, colour: 'accent', filled: true }]}
        step={step}
        label={`Pending acknowledgements in the last 15 minutes; now ${count(pending)}`}
        describe={(index) => plural(points.pending[index] ?? 0, 'pending', 'pending')}
      />
      <p class="detail">
        {failed > 0 ? (
          <OutcomeLabel kind="unavailable">{`${count(failed)} failed`}</OutcomeLabel>
        ) : pending === 0 ? (
          'All events are acknowledged'
        ) : (
          `The oldest waits for ${duration(oldestSeconds * 1000)}`
        )}
      </p>
    </li>
  )
}

interface OutcomeCountsProps {
  readonly of: readonly OutcomeKind[]
  readonly outcomes: PipelineTraffic['outcomes']
}

const OutcomeCounts = ({ of, outcomes }: OutcomeCountsProps) => (
  <>
    {of.map((outcome) => (
      <OutcomeLabel
        key={outcome}
        kind={outcome}
      >{`${count(outcomes[outcome].count)} ${outcome}`}</OutcomeLabel>
    ))}
  </>
)

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

const pointSums = (points: PipelineTraffic['points'], outcomes: readonly OutcomeKind[]): number[] =>
  points.outcomes.delivered.map((_, index) =>
    sum(outcomes.map((outcome) => points.outcomes[outcome][index] ?? 0)),
  )
