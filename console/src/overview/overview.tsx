import type { PipelineShape, PipelineTraffic, Traffic } from '../../../src/admin/api.js'
import { shapes, traffic } from '../api/state.js'
import { count, duration, plural, rate } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { OUTCOMES, PROBLEMS } from '../outcomes.js'
import { figures, ScrollTable } from '../table.js'
import type { ViewProps } from '../view-props.js'
import { Instances } from './instances.js'
import { Picture } from './picture.js'
import { Sparkline } from './sparkline.js'
import { ReasonsTable, RulesTable } from './tables.js'
import { Tiles } from './tiles.js'

/** The address can name a pipeline. */
export function Overview({ rest: [selected] }: ViewProps) {
  const now = traffic.value
  const all = shapes.value
  if (now === undefined || all === undefined) return <p class="empty">Connecting to Headgate …</p>
  if (now.pipelines.length === 0) return <p class="empty">The config has no pipeline.</p>
  const name = now.pipelines.some(({ pipeline }) => pipeline === selected)
    ? selected
    : now.pipelines[0]?.pipeline
  const pipeline = now.pipelines.find((one) => one.pipeline === name)
  const shape = all.find((one) => one.name === name)
  return (
    <>
      {now.notReady.length > 0 && <NotReady reasons={now.notReady} />}
      {now.pipelines.length > 1 && <Pipelines now={now} selected={name} />}
      {pipeline !== undefined && shape !== undefined && (
        <OnePipeline shape={shape} pipeline={pipeline} step={now.step} />
      )}
    </>
  )
}

/** Each of many pipelines has its own; the others can be opened. */
const MOST_REASONS = 5

function NotReady({ reasons }: { readonly reasons: readonly string[] }) {
  return (
    <section class="notice unavailable" role="alert">
      <h2>
        <OutcomeLabel kind="unavailable">Headgate takes no events now</OutcomeLabel>
      </h2>
      <Reasons reasons={reasons.slice(0, MOST_REASONS)} />
      {reasons.length > MOST_REASONS && (
        <details>
          <summary>{plural(reasons.length - MOST_REASONS, 'more reason')}</summary>
          <Reasons reasons={reasons.slice(MOST_REASONS)} />
        </details>
      )}
    </section>
  )
}

const Reasons = ({ reasons }: { readonly reasons: readonly string[] }) => (
  <ul>
    {reasons.map((reason) => (
      <li key={reason}>{reason}</li>
    ))}
  </ul>
)

interface OnePipelineProps {
  readonly shape: PipelineShape
  readonly pipeline: PipelineTraffic
  readonly step: number
}

function OnePipeline({ shape, pipeline, step }: OnePipelineProps) {
  return (
    <article>
      <header class="heading">
        <h2>{shape.name}</h2>
        <State state={pipeline.state} />
        {shape.shared && <span class="note">the traffic of this instance</span>}
      </header>
      <Tiles traffic={pipeline} step={step} />
      <Picture shape={shape} traffic={pipeline} />
      <div class="pair">
        <RulesTable shape={shape} traffic={pipeline} />
        <ReasonsTable shape={shape} traffic={pipeline} />
      </div>
      <Instances shape={shape} />
    </article>
  )
}

const STATES = { RUNNING: 'running', PAUSED: 'paused', STOPPED: 'stopped' } as const

const State = ({ state }: { readonly state: PipelineTraffic['state'] }) => (
  <span class={`state ${STATES[state]}`}>{STATES[state]}</span>
)

/** Several pipelines side by side; one of them is shown below. */
function Pipelines({ now, selected }: { readonly now: Traffic; readonly selected: string | undefined }) {
  return (
    <section class="panel">
      <header>
        <h2>Pipelines</h2>
      </header>
      <ScrollTable
        label="All pipelines"
        columns={[
          'Pipeline',
          'State',
          { title: 'Last 15 min', layout: 'wide' },
          ...['Events/s', 'Problems', 'p99', 'Pending'].map(figures),
        ]}
      >
        {now.pipelines.map((pipeline) => (
          <PipelineRow
            key={pipeline.pipeline}
            pipeline={pipeline}
            step={now.step}
            isSelected={pipeline.pipeline === selected}
          />
        ))}
      </ScrollTable>
    </section>
  )
}

interface PipelineRowProps {
  readonly pipeline: PipelineTraffic
  readonly step: number
  readonly isSelected: boolean
}

function PipelineRow({ pipeline, step, isSelected }: PipelineRowProps) {
  const { pipeline: name, state, outcomes, latency, acknowledgements, points } = pipeline
  const all = OUTCOMES.reduce((sum, outcome) => sum + outcomes[outcome].rate, 0)
  const problems = PROBLEMS.reduce((sum, outcome) => sum + outcomes[outcome].count, 0)
  const { delivered } = points.outcomes
  return (
    <tr class={isSelected ? 'selected' : ''}>
      <th scope="row">
        <a href={`#/overview/${encodeURIComponent(name)}`} aria-current={isSelected ? 'true' : undefined}>
          {name}
        </a>
      </th>
      <td>
        <State state={state} />
      </td>
      <td class="trend wide">
        <Sparkline
          lines={[{ points: delivered, colour: 'delivered', filled: true }]}
          step={step}
          label={`Delivered events of ${name} in the last 15 minutes`}
          describe={(index) => `${rate((delivered[index] ?? 0) / step)}/s`}
        />
      </td>
      <td class="number">{rate(all)}</td>
      <td class="number">{count(problems)}</td>
      <td class="number">{latency === null ? '–' : duration(latency.p99)}</td>
      <td class="number">{count(acknowledgements.pending)}</td>
    </tr>
  )
}
