import { useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { PipelineShape, PipelineTraffic } from '../../../src/admin/api.js'
import { count, duration, rate } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { Scrollable } from '../scrollable.js'
import { type Graph, type GraphNode, graphOf } from './graph.js'
import { type Layout, layoutOf } from './layout.js'

/** Narrower than this, the boxes stand one below the other. */
const LEAST_WIDTH = 760

interface PictureProps {
  readonly shape: PipelineShape
  readonly traffic: PipelineTraffic
  /** For readers that see no picture. Default: the name of the pipeline. */
  readonly label?: string
  /** The content of a box. Default: its rate, its times and its problems. */
  readonly Text?: NodeContent
}

type NodeContent = ComponentType<{ readonly node: GraphNode }>

/** The pipeline from its sender to the acknowledgement, with edges as wide as their rate. */
export function Picture({
  shape,
  traffic,
  label = `The pipeline ${shape.name}`,
  Text = NodeText,
}: PictureProps) {
  const frame = useRef<HTMLElement>(null)
  const width = useSignal(0)
  useLayoutEffect(() => {
    const element = frame.current
    if (element === null) return
    const observer = new ResizeObserver(() => {
      width.value = element.clientWidth
    })
    observer.observe(element)
    width.value = element.clientWidth
    return () => observer.disconnect()
  }, [width])
  const graph = graphOf(shape, traffic)
  return (
    <Scrollable class="picture" label={label} frame={frame}>
      {width.value === 0 ? null : width.value < LEAST_WIDTH ? (
        <Steps graph={graph} shape={shape} Text={Text} />
      ) : (
        <Drawing layout={layoutOf(graph, width.value)} shape={shape} traffic={traffic} Text={Text} />
      )}
    </Scrollable>
  )
}

interface DrawingProps extends Required<Omit<PictureProps, 'label'>> {
  readonly layout: Layout
}

function Drawing({ layout, shape, traffic, Text }: DrawingProps) {
  const { width, height, nodes, sink, edges } = layout
  return (
    <div class="drawing" style={{ width: `${width}px`, height: `${height}px` }}>
      <div class="sink" style={px(sink)}>
        <SinkHead shape={shape} traffic={traffic} />
      </div>
      <svg aria-hidden="true" width={width} height={height}>
        {edges.map(({ edge, path, width: breadth }) => (
          <path
            key={`${edge.from} ${edge.to} ${edge.outcome}`}
            class={edge.flow.rate === 0 ? 'edge still' : 'edge'}
            d={path}
            style={{ color: `var(--${edge.outcome})`, strokeWidth: `${breadth}px` }}
          />
        ))}
      </svg>
      <ul>
        {nodes.map(({ node, box }) => (
          <li key={node.id} class={classOf(node)} style={px(box)}>
            <Text node={node} />
          </li>
        ))}
      </ul>
    </div>
  )
}

const classOf = ({ kind, flow }: GraphNode): string => `node ${kind}${flow.count === 0 ? ' quiet' : ''}`

const px = ({ x, y, width, height }: Layout['sink']) => ({
  left: `${x}px`,
  top: `${y}px`,
  width: `${width}px`,
  height: `${height}px`,
})

/** The same from top to bottom, for narrow windows. */
interface StepsProps {
  readonly graph: Graph
  readonly shape: PipelineShape
  readonly Text: NodeContent
}

function Steps({ graph, shape, Text }: StepsProps) {
  const { source, transforms, rules, topics, deadLetter, exits, acknowledgements } = graph
  const groups: readonly (readonly [string, readonly GraphNode[]])[] = [
    ['Source', [source]],
    ['Transforms', transforms],
    ['Rules', rules],
    [`Sink ${shape.sink.plugin}`, [...topics, ...(deadLetter === undefined ? [] : [deadLetter])]],
    ['Not written', exits],
    ['Acknowledgement', acknowledgements],
  ]
  return (
    <div class="steps">
      {groups
        .filter(([, nodes]) => nodes.length > 0)
        .map(([title, nodes]) => (
          <section key={title}>
            <h3>{title}</h3>
            <ul>
              {nodes.map((node) => (
                <li key={node.id} class={classOf(node)}>
                  <Text node={node} />
                </li>
              ))}
            </ul>
          </section>
        ))}
    </div>
  )
}

/** Titles of boxes whose name does not say it. */
export const KINDS: { readonly [kind in GraphNode['kind']]?: string } = {
  source: 'source',
  transform: 'transform',
  acknowledgement: 'acknowledgement',
}

function NodeText({ node }: { readonly node: GraphNode }) {
  const { kind, title, note, flow, latency, problems } = node
  const kindText = KINDS[kind]
  return (
    <>
      {kindText !== undefined && <span class="kind">{kindText}</span>}
      <span class="title" title={title}>
        {/* Topics differ at their end, which is kept if the name is cut. */}
        <bdi>{title}</bdi>
      </span>
      {note !== undefined && <span class="note">{note}</span>}
      <span class="flow" title={`${count(flow.count)} in the last 15 minutes`}>
        <b>{rate(flow.rate)}</b>/s
      </span>
      {latency && (
        <span
          class="latency"
          title="Half of the events took at most this long, and 99 of 100; in the last minute"
        >
          {duration(latency.p50) !== duration(latency.p99) && `${duration(latency.p50)} · `}p99{' '}
          {duration(latency.p99)}
        </span>
      )}
      {problems.length > 0 && (
        <span class="problems">
          {problems.map(({ outcome, count: events, label }) => (
            <OutcomeLabel key={outcome} kind={outcome}>
              {`${count(events)} ${label ?? outcome}`}
            </OutcomeLabel>
          ))}
        </span>
      )}
    </>
  )
}

function SinkHead({ shape, traffic }: Pick<PictureProps, 'shape' | 'traffic'>) {
  const { stage, plugin } = shape.sink
  const found = traffic.stages[stage]
  const unavailable = found?.outcomes['unavailable']?.count ?? 0
  return (
    <>
      <span class="kind">sink</span>
      <span class="title">{plugin}</span>
      {unavailable > 0 ? (
        <OutcomeLabel kind="unavailable">{`${count(unavailable)} unavailable`}</OutcomeLabel>
      ) : (
        found?.latency && <span class="latency">p99 {duration(found.latency.p99)}</span>
      )}
      {traffic.inFlight > 0 && unavailable === 0 && (
        <span class="note" title="Events received, and without an outcome yet">
          {count(traffic.inFlight)} in flight
        </span>
      )}
    </>
  )
}
