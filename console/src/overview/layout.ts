import type { Graph, GraphEdge, GraphNode } from './graph.js'

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface PlacedEdge {
  readonly edge: GraphEdge
  /** Of an SVG path, whose stroke is as wide as the rate. */
  readonly path: string
  readonly width: number
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly nodes: readonly { readonly node: GraphNode; readonly box: Box }[]
  /** Around the topics. */
  readonly sink: Box
  readonly edges: readonly PlacedEdge[]
}

const WIDTHS = { source: 146, transform: 138, rule: 174, topic: 240, acknowledgement: 150 }
const TALL = 92
const ROW = 46
const ROW_GAP = 10
const LEAST_GAP = 34
const PADDING = 12
/** Height of the head of the box around the topics. */
const SINK_HEAD = 40
const LANE_GAP = 16

/** Positions for a picture that is at least `available` pixels wide. */
export function layoutOf(graph: Graph, available: number): Layout {
  const { source, transforms, rules, topics, deadLetter, exits, acknowledgements } = graph
  const columns: (readonly GraphNode[])[] = [[source], ...transforms.map((transform) => [transform])]
  if (rules.length > 0) columns.push(rules)
  columns.push(topics)
  if (acknowledgements.length > 0) columns.push(acknowledgements)
  const widths = columns.map(([node]) => WIDTHS[(node?.kind ?? 'topic') as keyof typeof WIDTHS])
  const used = widths.reduce((sum, width) => sum + width, 0) + 2 * PADDING
  const gap = Math.max(LEAST_GAP, (available - used) / (columns.length - 1))
  const xs = widths.map((_, index) => widths.slice(0, index).reduce((x, width) => x + width + gap, PADDING))

  const rows = Math.max(rules.length, topics.length, 2)
  const top = SINK_HEAD
  const rowsHeight = heightOf(rows)
  const middle = top + rowsHeight / 2
  const boxes = new Map<string, Box>()
  const topicColumn = columns.indexOf(topics)
  for (const [column, nodes] of columns.entries()) {
    const isRows = nodes === rules || nodes === topics
    const height = isRows ? ROW : TALL
    const total = nodes.length * height + (nodes.length - 1) * ROW_GAP
    for (const [index, { id }] of nodes.entries()) {
      const y = middle - total / 2 + index * (height + ROW_GAP)
      boxes.set(id, { x: xs[column] as number, y, width: widths[column] as number, height })
    }
  }
  const below = [...(deadLetter === undefined ? [] : [deadLetter]), ...exits]
  const x = xs[topicColumn] as number
  // Below everything in the columns before it, for the edges come along there.
  let y = Math.max(top + rowsHeight, middle + TALL / 2) + LANE_GAP
  const firstExit = exits[0]
  for (const { id } of below) {
    if (id === firstExit?.id) y += LANE_GAP
    boxes.set(id, { x, y, width: WIDTHS.topic, height: ROW })
    y += ROW + ROW_GAP
  }
  const inSink = [...topics, ...(deadLetter === undefined ? [] : [deadLetter])]
  const all = [source, ...transforms, ...rules, ...topics, ...below, ...acknowledgements]
  return {
    width: Math.max(available, used + gap * (columns.length - 1)),
    height: Math.max(...[...boxes.values()].map((box) => box.y + box.height)) + PADDING,
    nodes: all.map((node) => ({ node, box: boxes.get(node.id) as Box })),
    sink: around(inSink.map(({ id }) => boxes.get(id) as Box)),
    edges: edgesOf(graph, boxes, new Set(below.map(({ id }) => id))),
  }
}

const heightOf = (rows: number): number => rows * ROW + (rows - 1) * ROW_GAP

function around(boxes: readonly Box[]): Box {
  const left = Math.min(...boxes.map(({ x }) => x))
  const top = Math.min(...boxes.map(({ y }) => y))
  const right = Math.max(...boxes.map(({ x, width }) => x + width))
  const bottom = Math.max(...boxes.map(({ y, height }) => y + height))
  return {
    x: left - PADDING,
    y: top - SINK_HEAD,
    width: right - left + 2 * PADDING,
    height: bottom - top + SINK_HEAD + PADDING,
  }
}

/** Pixels for a rate: a thousand times the events are a few times as wide. */
const breadth = (rate: number): number => Math.min(28, 3 + 6 * Math.log10(1 + 2 * rate))

/** The edges of a box leave and arrive side by side, in the order of their other ends. */
function edgesOf(
  { edges }: Graph,
  boxes: ReadonlyMap<string, Box>,
  below: ReadonlySet<string>,
): PlacedEdge[] {
  /** Edges of a stage to the boxes below go down first, so that they cross no other box. */
  const goesBelow = ({ from, to }: GraphEdge) => below.has(to) && boxes.get(from)?.height === TALL

  const most = Math.max(...edges.map(({ flow }) => flow.rate), 0)
  const widthOf = ({ flow }: GraphEdge) =>
    flow.rate === 0 ? 1.5 : Math.max(2, (breadth(most) * flow.rate) / most)
  const middleOf = (id: string) => {
    const box = boxes.get(id)
    return box === undefined ? 0 : box.y + box.height / 2
  }
  /** How far from the middle of its side an edge begins. */
  const offsets = (side: 'from' | 'to') => {
    const other = side === 'from' ? 'to' : 'from'
    const offsetOf = new Map<GraphEdge, number>()
    for (const id of new Set(edges.map((edge) => edge[side]))) {
      const here = edges
        .filter((edge) => edge[side] === id && !(side === 'from' && goesBelow(edge)))
        .toSorted((one, another) => middleOf(one[other]) - middleOf(another[other]))
      let offset = -here.reduce((sum, edge) => sum + widthOf(edge), 0) / 2
      for (const edge of here) {
        offsetOf.set(edge, offset + widthOf(edge) / 2)
        offset += widthOf(edge)
      }
    }
    return offsetOf
  }
  const starts = offsets('from')
  const ends = offsets('to')
  return edges.flatMap((edge) => {
    const from = boxes.get(edge.from)
    const to = boxes.get(edge.to)
    if (from === undefined || to === undefined) return []
    const endY = to.y + to.height / 2 + (ends.get(edge) ?? 0)
    const path = goesBelow(edge)
      ? pathBelow(from, to.x, endY)
      : pathAcross(from.x + from.width, from.y + from.height / 2 + (starts.get(edge) ?? 0), to.x, endY)
    return [{ edge, path, width: widthOf(edge) }]
  })
}

function pathAcross(x1: number, y1: number, x2: number, y2: number): string {
  const bend = (x2 - x1) / 2
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
}

function pathBelow({ x, y, width, height }: Box, endX: number, endY: number): string {
  // Beside the text about the events that leave here.
  const startX = x + width - 22
  const bend = Math.min(28, endY - y - height)
  return `M${startX} ${y + height}V${endY - bend}Q${startX} ${endY} ${startX + bend} ${endY}H${endX}`
}
